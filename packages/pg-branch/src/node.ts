/**
 * Branches without a test runner's environment: `node:test`, Mocha, Bun, Playwright, scripts.
 *
 * @module pg-branch/node
 */
export { PgBranchError } from './lib/errors.ts'
export { openBranch, type OpenBranch, type OpenBranchOptions } from './runner/open-branch.ts'
