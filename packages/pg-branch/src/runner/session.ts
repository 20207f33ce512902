import { PgBranchError } from '../lib/errors.ts'
import { connectSupervisor, type Connection } from '../client/connect.ts'
import type { ReleaseAnswer } from '../protocol/protocol.ts'
import { applyBranch, applySentinel, listForeignVariables, withSentinel, withholdUrls } from '../url/sentinel.ts'
import { retireClientSockets, watchClientSockets } from './client-sockets.ts'
import { pickScope, type Scope } from './options.ts'
import type { Reporter } from './report.ts'
import { createTestBranch, type TestBranch } from './test-branch.ts'
import type { TestHooks } from './test-hooks.ts'

export interface FileInfo {
  rootDir: string
  filePath: string
  isolate: boolean
}

export interface SessionOptions {
  /** Environment options as the user wrote them; the supervisor validates them. */
  options: unknown
  /** Names the test run, the same in all of its workers. */
  runId: string
  /** Whether somebody watches: then the progress of a build is told line by line. */
  isTerminal: boolean
  /** The sets of variables that get the branch's, and the sentinel when it is returned. */
  targets: NodeJS.ProcessEnv[]
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
  /** Hides addresses that setup files have set since, and has the branch's variables as they should be. */
  refresh(): Promise<void>
  closeFile(result: { failed: string | undefined }): Promise<void>
  close(): Promise<void>
  /** What is to be done around tests; undefined unless every test has a branch of its own. */
  readonly tests: Promise<TestHooks> | undefined
  /** The branch that is open, for tests to use. */
  readonly branch: TestBranch
}

interface OpenLease {
  leaseId: string
  scope: Scope
  isolate: boolean
  connection: Connection
  variables: Record<string, string>
}

/** The client could be told to go away while its supervisor is leaving; then the next one is asked. */
const leaseAttempts = 3

export function createSession({ options, runId, isTerminal, targets }: SessionOptions): Session {
  watchClientSockets()
  const withheld = withholdUrls(process.env)
  const env = withSentinel(process.env)
  let reporting: Promise<Reporter> | undefined
  // Most workers have nothing to tell, and need not load how it is told.
  const report = async (tell: (reporter: Reporter) => void) => {
    reporting ??= import('./report.ts').then(({ createReporter }) =>
      createReporter({ isTerminal: isTerminal && (env.CI ?? '') === '' }),
    )
    tell(await reporting)
  }
  const tellKept = async ({ psqlLine, keptForMs = 0 }: ReleaseAnswer, reason: string | undefined) => {
    if (psqlLine !== undefined) await report((reporter) => reporter.showKept(psqlLine, { reason, keptForMs }))
  }
  let connecting: Promise<Connection> | undefined
  let opening: Promise<OpenLease> | undefined
  let failed: string | undefined

  const connect = async () => {
    connecting ??= connectSupervisor({
      onProgress: (progress) => void (progress.speak && report((reporter) => reporter.showProgress(progress))),
    })
    try {
      return await connecting
    } catch (error) {
      connecting = undefined
      throw error
    }
  }
  // Begins while the runner is still loading; a failure is reported by the first file.
  connect().then(
    (connection) => connection.unhold(),
    () => {},
  )

  const scopeOption = pickScope(options)
  /** The lease, once it is there. */
  let current: OpenLease | undefined
  const getOpen = () => {
    if (current !== undefined) return { connection: current.connection, lease: current }
    throw new PgBranchError('no branch is open', {
      code: 'PGB_LEASE',
      hint: 'There is one while a test file runs: from its import until its last hook.',
    })
  }
  const branch = createTestBranch(getOpen)
  // Loaded by those alone who have a branch for each test: it would be part of every worker's start.
  const tests =
    scopeOption === 'test'
      ? import('./test-hooks.ts').then(({ createTestHooks }) =>
          createTestHooks({ options, getOpen, branch, report, tellKept }),
        )
      : undefined

  const lease = async (file: FileInfo): Promise<OpenLease> => {
    const scope = scopeOption ?? (file.isolate ? 'file' : 'worker')
    for (let attempt = 1; ; attempt += 1) {
      const connection = await connect()
      try {
        connection.hold()
        const request = { rootDir: file.rootDir, options, env, withheld, scope, runId, holder: file.filePath }
        const answer = await connection.call.lease(request)
        connection.unhold()
        if (answer.notices.length > 0) await report((reporter) => reporter.showNotices(answer.notices))
        const { leaseId, variables } = answer
        return { leaseId, scope, isolate: file.isolate, connection, variables }
      } catch (error) {
        connecting = undefined
        connection.close()
        const isGone = error instanceof PgBranchError && error.code === 'PGB_SUPERVISOR_GONE'
        if (!isGone || attempt >= leaseAttempts) throw error
      }
    }
  }

  const release = async () => {
    const open = await opening?.catch(() => undefined)
    opening = undefined
    await branch.close()
    current = undefined
    const reason = failed
    failed = undefined
    const variables: Readonly<Record<string, string>> = open?.variables ?? {}
    const foreign = open === undefined ? [] : targets.flatMap((target) => listForeignVariables(target, variables))
    await tellOnce(
      foreign,
      (list) => `while tests ran something set ${list}, which leads to another Postgres than the branch`,
    )
    for (const target of targets) applySentinel(target)
    if (open === undefined || connecting === undefined) return
    retireClientSockets(Number(variables.PGPORT))
    const connection = await connecting
    connection.hold()
    // A supervisor that is gone has taken the branch with it.
    const answer = await connection.call.release({ leaseId: open.leaseId, failed: reason }).catch(() => undefined)
    connection.unhold()
    await tellKept(answer ?? {}, reason)
  }

  const told = new Set<string>()
  const tellOnce = async (names: string[], describe: (list: string) => string) => {
    const fresh = [...new Set(names)].filter((name) => !told.has(name))
    for (const name of fresh) told.add(name)
    if (fresh.length > 0) await report((reporter) => reporter.showNotices([describe(fresh.join(', '))]))
  }

  const refresh = async () => {
    if (current === undefined) return
    const { variables } = current
    const hidden = targets.flatMap((target) => applyBranch(target, variables))
    await tellOnce(hidden, (list) => `hidden, since it leads to another Postgres than the branch: ${list}`)
  }

  return {
    tests,
    branch,
    refresh,
    async openFile(file) {
      opening ??= lease(file)
      try {
        current = await opening
        await refresh()
      } catch (error) {
        opening = undefined
        throw error
      }
    },
    async closeFile(result) {
      // With a branch for each test, the last one's is all that is left to keep.
      failed = tests === undefined ? (failed ?? result.failed) : await (await tests).finishFile()
      const open = await opening?.catch(() => undefined)
      // Files that share modules share the pools in them, and so need one address.
      const isShared = open?.scope === 'worker' || (open?.scope === 'test' && !open.isolate)
      if (!isShared) await release()
    },
    async close() {
      await release()
      const connection = await connecting?.catch(() => undefined)
      connecting = undefined
      connection?.close()
    },
  }
}
