#!/usr/bin/env node
// Not built, so that in a fresh clone pnpm finds something to link.
import '../dist/cli/main.js'
