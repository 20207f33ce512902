import { setImmediate as yieldToDrivers } from 'node:timers/promises'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { createGoneError, type Connection } from '../client/connect.ts'
import type { EnvironmentOptions } from '../protocol/environment-options.ts'
import type { ReleaseAnswer, ResetAnswer } from '../protocol/protocol.ts'
import type { Reporter } from './report.ts'
import { createForkedBranch, type ForkedBranch, type OpenLease, type TestBranch } from './test-branch.ts'
import { createTestScope } from './test-scope.ts'

/** What a runner package calls around suites and tests. */
export interface TestHooks {
  /** Before the `beforeAll` hooks of a suite. What goes wrong is thrown by the next test. */
  enterSuite(): Promise<void>
  leaveSuite(): Promise<void>
  /** Before everything of a test, and again before each further try. */
  startTest(name: string): Promise<void>
  /**
   * After a test, and its last try. @returns text for the report of a failed one, and, if the options
   * ask for it, what it must fail for.
   */
  finishTest(test: {
    name: string
    hasFailed: boolean
  }): Promise<{ note?: string | undefined; failure?: Error | undefined }>
  /** The test that failed is tried again. */
  forgetFailure(): void
  /** A branch for one of several tests that run at the same time. */
  forkForTest(name: string): Promise<ForkedBranch>
  /** @returns what the open branch is to be kept for: the last test, if it failed. */
  finishFile(): Promise<string | undefined>
}

// `yieldToDrivers`: they send what a test has begun, and not waited for, in the next turn of the loop, and
// it is that test's.

export function createTestHooks({
  options,
  getOpen,
  branch,
  report,
  tellKept,
}: {
  /** Environment options as the user wrote them; the supervisor has validated them by the time a branch is open. */
  options: unknown
  getOpen(): { connection: Connection; lease: OpenLease }
  branch: TestBranch
  report(tell: (reporter: Reporter) => void): Promise<void>
  /** Says where the branch of a failed test is, if it was kept. */
  tellKept(answer: ReleaseAnswer, reason: string | undefined): Promise<void>
}): TestHooks {
  const { diffOnFailure = false, leftOver = 'warn' } = options as EnvironmentOptions
  const scope = createTestScope({
    reset: (request) => call((leaseId, { reset }) => reset({ ...request, leaseId })),
    snapshot: (request) => call((leaseId, { snapshot }) => snapshot({ ...request, leaseId })),
    dropSnapshot: (request) => call((leaseId, { dropSnapshot }) => dropSnapshot({ ...request, leaseId })),
    fork: (request) => call((leaseId, { fork }) => fork({ ...request, leaseId })),
  })
  let failed: string | undefined
  let suiteError: unknown

  function call<T>(action: (leaseId: string, call: Connection['call']) => Promise<T>): Promise<T> {
    const { connection, lease } = getOpen()
    // While the runner waits, this connection may be all that keeps the process alive.
    connection.hold()
    return action(lease.leaseId, connection.call)
      .catch((error: unknown) => {
        throw /rpc is closed/.test(String(error)) ? createGoneError() : error
      })
      .finally(() => connection.unhold())
  }

  const tell = async (answer: ResetAnswer | undefined, reason: string | undefined) => {
    if (answer === undefined) return
    await tellKept(answer, reason)
    if (leftOver === 'ignore' || answer.leftOver.length === 0) return
    const lines = answer.leftOver.map(
      ({ phase = 'a hook', what }) => `${phase}: left open: ${what}; its connection was closed`,
    )
    await report((reporter) => reporter.showNotices([...new Set(lines)]))
  }

  const takeFailed = () => {
    const reason = failed
    failed = undefined
    return reason
  }

  const guard = async (action: () => Promise<void>) => {
    try {
      await action()
    } catch (error) {
      suiteError ??= error
    }
  }

  return {
    enterSuite: () =>
      guard(async () => {
        const reason = takeFailed()
        await tell(await scope.enterSuite(reason), reason)
      }),
    leaveSuite: () => guard(() => scope.leaveSuite()),
    async startTest(name) {
      const error = suiteError
      suiteError = undefined
      if (error !== undefined) throw error
      const reason = takeFailed()
      await yieldToDrivers()
      await tell(await scope.startTest(name, reason), reason)
    },
    async finishTest({ name, hasFailed }) {
      if (hasFailed) {
        failed = name
        return { note: diffOnFailure ? await describeDiff(branch) : undefined }
      }
      if (leftOver !== 'fail') return {}
      await yieldToDrivers()
      const { connections } = await call((leaseId, { getActivity }) => getActivity({ leaseId }))
      const open = connections.filter(({ state }) => state === 'in transaction' || state === 'active')
      if (open.length === 0) return {}
      const who = open.map(({ user, application, state }) => `  - ${application || user}: ${state}`).join('\n')
      const failure = new PgBranchError(`the test left ${open.length} of its connections at work:\n${who}`, {
        code: 'PGB_LEFT_OVER',
        hint: 'End what it begins before it ends: a transaction without COMMIT or ROLLBACK, a query without `await`.',
      })
      failed = name
      return { failure }
    },
    forkForTest: async (name) => createForkedBranch(getOpen().connection, await scope.fork(name)),
    forgetFailure() {
      failed = undefined
    },
    finishFile: async () => takeFailed(),
  }
}

async function describeDiff(branch: TestBranch): Promise<string> {
  try {
    const diff = await branch.diff()
    if (diff.length === 0) return '\n\nThe test changed no rows.'
    const lines = diff.map(
      ({ table, added, changed, removed, definition }) =>
        `  ${table}${definition === undefined ? '' : ` (${definition})`}: ${added} added, ${changed} changed, ${removed} removed`,
    )
    return `\n\nThe test changed these rows:\n${lines.join('\n')}`
  } catch (error) {
    return `\n\nWhat it changed in the database cannot be told: ${describeError(error)}`
  }
}
