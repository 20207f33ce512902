import { getStatePaths } from '../lib/paths.ts'
import { runSupervisor } from './supervisor.ts'

// Started detached by the first client, its output going to the log in the state directory.
process.title = 'pg-branch supervisor'
await runSupervisor(getStatePaths())
process.exit(0)
