import { getStatePaths } from '../lib/paths.ts'
import { reapDeadGenerations } from './reaper.ts'

// What the guardian runs when its supervisor has died.
await reapDeadGenerations(getStatePaths().stateDir)
process.exit(0)
