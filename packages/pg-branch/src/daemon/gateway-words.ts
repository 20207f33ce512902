import { sqlState } from '../gateway/messages.ts'
import type { GatewayWords } from '../gateway/words.ts'
import { testBranchGone } from '../protocol/gone.ts'

/** Where each test has a branch: a phase is a test. */
export const testWords: GatewayWords = {
  describePhase: (test) => (test === undefined ? 'before the first test' : `by the test "${test}"`),
  moveHint: 'pg-branch gives each test a fresh branch, and this cannot move there: end it before the test ends.',
  gone: testBranchGone,
}

/** A branch that has a name knows no tests, and so no phases. */
export const namedWords: GatewayWords = {
  describePhase: () => 'when the branch went back to another state',
  moveHint: 'It belonged to the state that the branch had: begin it again.',
  gone: {
    code: sqlState.adminShutdown,
    message: 'terminating connection: its branch was removed',
    hint: 'Those that there are: pg-branch branch ls',
  },
}
