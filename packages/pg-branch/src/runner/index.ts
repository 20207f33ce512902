/** What the packages for test runners need, and nothing that makes a worker's start slow. */
export { PgBranchError } from '../lib/errors.ts'
export { hideUrls } from './hide-urls.ts'
export { createSession, pickOptions, type FileInfo, type Session } from './session.ts'
