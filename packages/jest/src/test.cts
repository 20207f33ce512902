/**
 * For test files: the branch of the running test, and a `test` that hands it over. CommonJS, since Jest
 * loads what tests import in a context of its own, where it knows nothing else without a flag.
 */
import type { ForkedBranch, TestBranch } from 'pg-branch/test' with { 'resolution-mode': 'import' }

/** What the environment leaves at the global object of the tests. */
interface TestApi {
  branch: TestBranch
  tests?: Promise<{ forkForTest(name: string): Promise<ForkedBranch> }> | undefined
}

type Body = (fixtures: { branch: TestBranch }) => unknown
type Define = (name: string, body: Body, timeoutMs?: number) => void

interface JestTest {
  (name: string, fn?: () => unknown, timeoutMs?: number): void
  only: JestTest
  skip: JestTest
  concurrent: JestTest
}

function getApi(): TestApi {
  const api = (globalThis as unknown as Record<symbol, TestApi | undefined>)[Symbol.for('pg-branch.test-api')]
  if (api !== undefined) return api
  throw new Error(
    "This file does not run in the environment pg-branch: set `testEnvironment: 'pg-branch'`. [PGB_SCOPE]",
  )
}

/** The branch of the test file that runs, or of the test in it with `scope: 'test'`. */
export const branch: TestBranch = {
  get url() {
    return getApi().branch.url
  },
  get variables() {
    return getApi().branch.variables
  },
  query: (text, values) => getApi().branch.query(text, values),
  snapshot: (name) => getApi().branch.snapshot(name),
  restore: (name) => getApi().branch.restore(name),
  fork: () => getApi().branch.fork(),
  diff: () => getApi().branch.diff(),
  log: () => getApi().branch.log(),
}

const getJestTest = () => (globalThis as unknown as { test: JestTest }).test

function runConcurrent(name: string, body: Body): () => Promise<unknown> {
  const run = async () => {
    const { tests } = getApi()
    if (tests === undefined) {
      throw new Error(
        "A concurrent test can have a branch of its own only where every test has one: set `testEnvironmentOptions: { pgBranch: { scope: 'test' } }`. [PGB_SCOPE]",
      )
    }
    const own = await (await tests).forkForTest(name)
    try {
      return await body({ branch: own })
    } finally {
      await own.close()
    }
  }
  // By this the environment knows that the test needs no branch from it.
  return Object.assign(run, { [Symbol.for('pg-branch.fixture')]: true })
}

const define: Define = (name, body, timeoutMs) => getJestTest()(name, () => body({ branch }), timeoutMs)
const defineOnly: Define = (name, body, timeoutMs) => getJestTest().only(name, () => body({ branch }), timeoutMs)
const defineSkipped: Define = (name, body, timeoutMs) => getJestTest().skip(name, () => body({ branch }), timeoutMs)
const defineConcurrent: Define = (name, body, timeoutMs) =>
  getJestTest().concurrent(name, runConcurrent(name, body), timeoutMs)

/**
 * Jest's `test` with the fixture `branch`. With `test.concurrent` it is a branch with a URL of its own,
 * with what `beforeAll` made.
 */
export const test: Define & { only: Define; skip: Define; concurrent: Define } = Object.assign(define, {
  only: defineOnly,
  skip: defineSkipped,
  concurrent: defineConcurrent,
})
