/** Branches without a test runner's environment: `node:test`, Mocha, Bun, Playwright, scripts. */
export { PgBranchError } from './lib/errors.ts'
export { openBranch, type OpenBranch, type OpenBranchOptions } from './runner/open-branch.ts'
