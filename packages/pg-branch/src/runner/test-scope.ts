import { hooksLabel, internalPrefix } from '../protocol/labels.ts'
import type { ForkRequest, LeaseAnswer, ResetAnswer, ResetRequest, SnapshotRequest } from '../protocol/protocol.ts'

/** What can be asked of the supervisor for the lease of one file. */
export interface TestScopeCalls {
  reset(request: Omit<ResetRequest, 'leaseId'>): Promise<ResetAnswer>
  snapshot(request: Omit<SnapshotRequest, 'leaseId'>): Promise<void>
  dropSnapshot(request: Omit<SnapshotRequest, 'leaseId'>): Promise<void>
  fork(request: Omit<ForkRequest, 'leaseId'>): Promise<LeaseAnswer>
}

/**
 * Gives every test a fresh branch, with what the `beforeAll` hooks around it made.
 *
 * Suites nest, the file being the outermost. A suite is *entered* before its `beforeAll` hooks run, on the
 * state of the suite around it; *saved* when its first test or inner suite begins, which is when its
 * hooks have run; and *left* after its last test. Each test begins on the saved state of the suite that
 * it is in.
 */
export interface TestScope {
  /** @param failed as of `startTest`. */
  enterSuite(failed?: string): Promise<ResetAnswer | undefined>
  leaveSuite(): Promise<void>
  /** @param failed set if the test before this one failed: its branch is kept, and this says for what. */
  startTest(name: string, failed?: string): Promise<ResetAnswer | undefined>
  /** Leases another branch with the state that tests of the present suite begin with. */
  fork(holder: string): Promise<LeaseAnswer>
}

interface Suite {
  /** Name of its snapshot, once it is saved. */
  snapshot: string | undefined
  saving?: Promise<void> | undefined
  /** Why its tests cannot begin as they should; none of them does then. */
  failure?: { error: unknown } | undefined
}

export function createTestScope(calls: TestScopeCalls): TestScope {
  const suites: Suite[] = []
  let count = 0
  /** Whether a test has run since the present suite was saved or entered. */
  let isUsed = false

  const saveOnce = async (suite: Suite, next?: string) => {
    count += 1
    const name = `${internalPrefix}suite ${count}`
    await calls.snapshot({ name, next })
    suite.snapshot = name
  }

  /** Tests that run at the same time all want it saved. */
  const save = (suite: Suite, next?: string) =>
    (suite.saving ??= saveOnce(suite, next).finally(() => (suite.saving = undefined)))

  return {
    async enterSuite(failed) {
      const around = suites.at(-1)
      const suite: Suite = { snapshot: undefined, failure: around?.failure }
      suites.push(suite)
      try {
        if (around !== undefined && around.snapshot === undefined) await save(around)
        // Its hooks must not see what the tests before it left.
        const answer = isUsed ? await calls.reset({ to: around?.snapshot, next: hooksLabel, failed }) : undefined
        isUsed = false
        return answer
      } catch (error) {
        suite.failure = { error }
        throw error
      }
    },
    async leaveSuite() {
      const suite = suites.pop()
      isUsed = true
      if (suite?.snapshot !== undefined) await calls.dropSnapshot({ name: suite.snapshot })
    },
    async startTest(name, failed) {
      const suite = suites.at(-1) ?? { snapshot: undefined }
      if (suites.length === 0) suites.push(suite)
      if (suite.failure !== undefined) throw suite.failure.error
      if (suite.snapshot === undefined && !isUsed) {
        await save(suite, name)
        isUsed = true
        return undefined
      }
      isUsed = true
      return calls.reset({ to: suite.snapshot, next: name, failed })
    },
    async fork(holder) {
      const suite = suites.at(-1)
      if (suite?.failure !== undefined) throw suite.failure.error
      if (suite !== undefined && suite.snapshot === undefined && !isUsed) await save(suite)
      return calls.fork({ holder, from: suite?.snapshot })
    },
  }
}
