import { existsSync } from 'node:fs'
import { PgBranchError } from '../lib/errors.ts'
import { getStatePaths } from '../lib/paths.ts'
import { waitUntil } from '../lib/processes.ts'
import { connectSupervisor } from './connect.ts'

/** Ends the supervisor of this user and version and everything that it runs. @returns false if there was none. */
export async function stopSupervisor(): Promise<boolean> {
  let connection
  try {
    connection = await connectSupervisor({ start: false })
  } catch (error) {
    if (error instanceof PgBranchError && error.code === 'PGB_SUPERVISOR_GONE') return false
    throw error
  }
  await connection.call.shutdown()
  connection.close()
  const { supervisorFile, stateDir } = getStatePaths()
  const gone = await waitUntil(() => !existsSync(supervisorFile), { timeoutMs: 15_000, intervalMs: 20 })
  if (gone) return true
  throw new PgBranchError(`the supervisor of ${stateDir} did not end within 15 s`, {
    code: 'PGB_SUPERVISOR_GONE',
    hint: 'A client may still hold a lease; end the test run first.',
  })
}
