#!/usr/bin/env bash
# Fetches the template, or builds it, once, and keeps the process that has it for the tests.
set -euo pipefail
answer=$($PG_BRANCH up --for 6h --json)
echo "$answer"
echo "reused=$(node -e 'console.log(!JSON.parse(process.argv[1]).built)' "$answer")" >> "$GITHUB_OUTPUT"
