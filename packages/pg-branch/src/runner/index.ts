/** What the packages for test runners need, and nothing that makes a worker's start slow. */
export { PgBranchError } from '../lib/errors.ts'
export type { EnvironmentOptions } from '../protocol/environment-options.ts'
export { hideUrls } from './hide-urls.ts'
export { pickOptions, pickScope } from './options.ts'
export { createSession, type FileInfo, type Session } from './session.ts'
export type { ForkedBranch, LoggedStatement, TestBranch } from './test-branch.ts'
export type { TestHooks } from './test-hooks.ts'
export { setTestApi } from './test-api.ts'
