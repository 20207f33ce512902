import { sqlState, type ErrorFields } from '../gateway/messages.ts'

/** What a client in a test hears whose branch was returned. */
export const testBranchGone: ErrorFields = {
  code: sqlState.adminShutdown,
  message: 'terminating connection: its branch was returned when its test file ended',
  hint: 'Something still uses the database: await all that the tests begin, and end the pool in `afterAll`.',
}
