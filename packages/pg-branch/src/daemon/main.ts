import { requireDescriptors } from '../lib/descriptors.ts'
import { getStatePaths } from '../lib/paths.ts'
import { serializeError } from '../lib/serialized-error.ts'

// Started detached by the first client, its output going to the log in the state directory.
// What is made here has the modes that it says. Commands of the user's run with the umask of whoever started this.
process.env.PG_BRANCH_UMASK = process.umask(0o022).toString(8)
process.title = 'pg-branch supervisor'
try {
  requireDescriptors()
  // Loading it opens more files at once than the fewest that there may be.
  const { runSupervisor } = await import('./supervisor.ts')
  await runSupervisor(getStatePaths())
  process.exit(0)
} catch (error) {
  // Read by the client that started it.
  process.stderr.write(`pg-branch cannot start: ${JSON.stringify(serializeError(error))}\n`)
  process.exit(1)
}
