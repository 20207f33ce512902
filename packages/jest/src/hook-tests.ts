import { PgBranchError, type TestHooks } from 'pg-branch/runner'

/** What we use of jest-circus's events and tests. */
interface CircusEvent {
  name: string
  describeBlock?: Block
  test?: CircusTest
}

interface CircusTest {
  name: string
  mode: string | undefined
  concurrent: boolean
  fn: object
  errors: unknown[]
  parent: Block
}

interface Block {
  name: string
  children?: Array<Block | CircusTest>
  parent?: Block
}

/** Set on test functions that take their branch from the fixture; see `test.cts`. */
const fixtureMark = Symbol.for('pg-branch.fixture')

/** Tests whose functions had the mark: Jest 29 puts others in their place before they start. */
const accepted = new WeakSet<object>()

function acceptFixtures({ children = [] }: Block): void {
  for (const child of children) {
    if ('fn' in child && fixtureMark in child.fn) accepted.add(child)
    else if ('children' in child) acceptFixtures(child)
  }
}

/** Has each test of the file begin on a fresh branch, before its own hooks run. jest-circus waits for it. */
export async function followTests(hooks: TestHooks, event: CircusEvent, file: string): Promise<void> {
  const { name, describeBlock, test } = event
  if (name === 'run_describe_start') {
    if (describeBlock !== undefined) acceptFixtures(describeBlock)
    await hooks.enterSuite()
  } else if (name === 'run_describe_finish') await hooks.leaveSuite()
  else if (name === 'test_retry') hooks.forgetFailure()
  else if (name === 'test_start' && test !== undefined) await startTest(hooks, test, file)
  else if (name === 'test_done' && test !== undefined) await finishTest(hooks, test, file)
}

async function startTest(hooks: TestHooks, test: CircusTest, file: string): Promise<void> {
  if (test.mode === 'skip' || test.mode === 'todo') return
  if (test.concurrent) {
    if (!accepted.has(test)) test.errors.push(createRefusal(test))
    return
  }
  try {
    await hooks.startTest(describeTest(test, file))
  } catch (error) {
    // With an error from the start, its hooks and its body do not run.
    test.errors.push(error)
  }
}

async function finishTest(hooks: TestHooks, test: CircusTest, file: string): Promise<void> {
  if (test.concurrent || test.mode === 'skip' || test.mode === 'todo') return
  const hasFailed = test.errors.length > 0
  const { note, failure } = await hooks.finishTest({ name: describeTest(test, file), hasFailed })
  if (note !== undefined) appendNote(test, note)
  if (failure !== undefined) test.errors.push(failure)
}

/** Jest prints the stack, which begins with the message. */
function appendNote(test: CircusTest, note: string): void {
  const [first] = test.errors
  const error = (Array.isArray(first) ? (first[0] ?? first[1]) : first) as
    | { message?: string; stack?: string }
    | undefined
  if (typeof error?.message !== 'string') return
  const message = `${error.message}${note}`
  const { stack } = error
  error.message = message
  if (typeof stack !== 'string') return
  const frames = stack.search(/\n\s+at /)
  error.stack = frames === -1 ? `${stack}${note}` : `${stack.slice(0, frames)}${note}${stack.slice(frames)}`
}

function describeTest(test: CircusTest, file: string): string {
  const names = [test.name]
  // The outermost block is Jest's own, for the file.
  for (let block = test.parent; block.parent !== undefined; block = block.parent) names.unshift(block.name)
  return [file, ...names].join(' > ')
}

function createRefusal(test: CircusTest): PgBranchError {
  const error = new PgBranchError(
    `the test "${test.name}" runs at the same time as others, and they share one address`,
    {
      code: 'PGB_SCOPE',
      hint: "With `scope: 'test'` take a branch of its own: const { test } = require('jest-environment-pg-branch/test'), then test.concurrent('…', async ({ branch }) => { … branch.url … }).",
    },
  )
  error.stack = `${error.name}: ${error.message}`
  return error
}
