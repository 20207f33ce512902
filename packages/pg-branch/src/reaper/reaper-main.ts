import { getStatePaths } from '../lib/paths.ts'
import { reapDead } from './reaper.ts'

// What the guardian runs when its supervisor has died.
await reapDead(getStatePaths().stateDir)
process.exit(0)
