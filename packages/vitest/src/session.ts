import { isMainThread } from 'node:worker_threads'
import { PgBranchError, applySentinel, connectSupervisor, withSentinel, type Connection } from 'pg-branch/client'
import { createReporter } from './report.ts'

export interface FileInfo {
  rootDir: string
  filePath: string
  isolate: boolean
}

/**
 * The branch of one environment.
 *
 * States: *idle* (variables hold the sentinel) → *open* (a branch is leased, variables point at it) →
 * *idle* … → *closed*. `openFile` opens, or finds it open (scope `worker`, or a second call for the
 * same file); `closeFile` goes back to idle in scope `file`; `close` ends everything.
 */
export interface Session {
  openFile(file: FileInfo): Promise<void>
  closeFile(result: { failed: string | undefined }): Promise<void>
  close(): Promise<void>
}

interface OpenLease {
  id: string
  scope: 'file' | 'worker'
  variables: Record<string, string>
}

/** Workers of one run have the same main process: their parent, or the process whose threads they are. */
const runId = String(isMainThread ? process.ppid : process.pid)

/** The client could be told to go away while its supervisor is leaving; then the next one is asked. */
const leaseAttempts = 3

export function createSession(options: unknown): Session {
  const env = withSentinel(process.env)
  const reporter = createReporter(env)
  let connecting: Promise<Connection> | undefined
  let opening: Promise<OpenLease> | undefined
  let failed: string | undefined

  const connect = () => (connecting ??= connectSupervisor({ onProgress: reporter.showProgress }))
  // Begins while Vitest is still loading; a failure is reported by the first file.
  connect().then(
    (connection) => connection.unhold(),
    () => {},
  )

  const lease = async (file: FileInfo): Promise<OpenLease> => {
    const scope = pickScope(options) ?? (file.isolate ? 'file' : 'worker')
    for (let attempt = 1; ; attempt += 1) {
      try {
        const connection = await connect()
        connection.hold()
        const request = { rootDir: file.rootDir, options, env, scope, runId, holder: file.filePath }
        const answer = await connection.call.lease(request)
        connection.unhold()
        reporter.showNotices(answer.notices)
        return { id: answer.leaseId, scope, variables: answer.variables }
      } catch (error) {
        connecting = undefined
        const isGone = error instanceof PgBranchError && error.code === 'PGB_SUPERVISOR_GONE'
        if (!isGone || attempt >= leaseAttempts) throw error
      }
    }
  }

  const release = async () => {
    const open = await opening?.catch(() => undefined)
    opening = undefined
    const reason = failed
    failed = undefined
    applySentinel(process.env)
    if (open === undefined || connecting === undefined) return
    const connection = await connecting
    connection.hold()
    // A supervisor that is gone has taken the branch with it.
    const answer = await connection.call.release({ leaseId: open.id, failed: reason }).catch(() => undefined)
    connection.unhold()
    if (answer?.psqlLine !== undefined) reporter.showKept(answer.psqlLine, { reason, keptForMs: answer.keptForMs ?? 0 })
  }

  return {
    async openFile(file) {
      opening ??= lease(file)
      try {
        const { variables } = await opening
        Object.assign(process.env, variables)
      } catch (error) {
        opening = undefined
        throw error
      }
    },
    async closeFile(result) {
      failed ??= result.failed
      const open = await opening?.catch(() => undefined)
      if (open?.scope !== 'worker') await release()
    },
    async close() {
      await release()
      const connection = await connecting?.catch(() => undefined)
      connecting = undefined
      connection?.close()
    },
  }
}

/** Anything else is refused by the supervisor, which validates all options. */
function pickScope(options: unknown): 'file' | 'worker' | undefined {
  const scope = (options as { scope?: unknown } | null)?.scope
  return scope === 'file' || scope === 'worker' ? scope : undefined
}
