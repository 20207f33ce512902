import { PgBranchError } from '../lib/errors.ts'
import type { TestBranch } from './test-branch.ts'
import type { TestHooks } from './test-hooks.ts'

export type { TableDiff } from '../protocol/protocol.ts'
export type { ForkedBranch, LoggedStatement, TestBranch } from './test-branch.ts'

/** What an environment leaves for the tests that run in it. */
export interface TestApi {
  branch: TestBranch
  tests: Promise<TestHooks> | undefined
}

const key = Symbol.for('pg-branch.test-api')

/** Tests and environment may load copies of this module; they meet at the global object of the tests. */
export function setTestApi(global: object, api: TestApi | undefined): void {
  Object.defineProperty(global, key, { value: api, configurable: true, writable: true })
}

/** @throws PgBranchError `PGB_SCOPE` in a test file that has another environment. */
export function getTestApi(): TestApi {
  const api = (globalThis as unknown as Record<symbol, TestApi | undefined>)[key]
  if (api !== undefined) return api
  throw new PgBranchError('this file does not run in the environment pg-branch', {
    code: 'PGB_SCOPE',
    hint: "Set `environment: 'pg-branch'` (Vitest) or `testEnvironment: 'pg-branch'` (Jest).",
  })
}

/** @returns what a test is told that wants a branch of its own where files have one. */
export function createScopeError(): PgBranchError {
  return new PgBranchError('a concurrent test can have a branch of its own only where every test has one', {
    code: 'PGB_SCOPE',
    hint: "Set `environmentOptions: { pgBranch: { scope: 'test' } }` (Jest: `testEnvironmentOptions`), or take `branch` by an import: it is the one of the file.",
  })
}

/** The branch of the test file that runs, or of the test in it with `scope: 'test'`. */
export const branch: TestBranch = {
  get url() {
    return getTestApi().branch.url
  },
  get variables() {
    return getTestApi().branch.variables
  },
  query: (text, values) => getTestApi().branch.query(text, values),
  snapshot: (name) => getTestApi().branch.snapshot(name),
  restore: (name) => getTestApi().branch.restore(name),
  fork: () => getTestApi().branch.fork(),
  diff: () => getTestApi().branch.diff(),
  log: () => getTestApi().branch.log(),
}
