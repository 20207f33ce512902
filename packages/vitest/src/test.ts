/**
 * For test files: the branch of the running test, and a `test` that hands it over as a fixture.
 *
 * @module test
 */
import { test as base, type TestAPI } from 'vitest'
import { createScopeError, getTestApi, type TestBranch } from 'pg-branch/test'
import { isConcurrent, registerFixture } from './concurrent-tests.ts'

export type { ForkedBranch, LoggedStatement, TableDiff, TestBranch } from 'pg-branch/test'
export { branch } from 'pg-branch/test'

/**
 * Vitest's `test` with the fixture `branch`. A test that runs at the same time as others
 * (`test.concurrent`, `describe.concurrent`) gets a branch and a URL of its own by it, with what
 * `beforeAll` made.
 */
export const test: TestAPI<{ branch: TestBranch }> = base.extend<{ branch: TestBranch }>({
  // Vitest reads from the first parameter which other fixtures are needed.
  branch: async ({ task }, use) => {
    const { branch, tests } = getTestApi()
    if (!isConcurrent(task)) return use(branch)
    registerFixture(task.id)
    if (tests === undefined) throw createScopeError()
    await using own = await (await tests).forkForTest(task.name)
    await use(own)
  },
})
