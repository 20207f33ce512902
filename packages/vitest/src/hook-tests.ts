import { PgBranchError, type TestHooks } from 'pg-branch/runner'
import { hasFixture, isConcurrent } from './concurrent-tests.ts'

/** Methods of Vitest's runner around suites and tests; all are awaited. */
const testMethods = [
  'onBeforeRunSuite',
  'onAfterRunSuite',
  'onBeforeRunTask',
  'onBeforeTryTask',
  'onTaskFinished',
  'onAfterRunTask',
] as const
export type TestMethod = (typeof testMethods)[number]

/** What we use of a task; suites and files are tasks too. */
interface Task {
  id: string
  name: string
  mode: string
  concurrent?: boolean
  suite?: Task
  file?: Task
  result?: { state?: string; errors?: Array<{ message?: string }> }
}

interface Try {
  retry: number
  repeats: number
}

type Method = ((this: never, ...args: never[]) => unknown) | undefined

/** @throws PgBranchError `PGB_VITEST_UNSUPPORTED` if this Vitest lacks one of the methods. */
export function requireTestMethods(prototype: Record<TestMethod, Method>): void {
  // Those that the class only inherits or leaves to others are undefined in it, and called all the same.
  const missing = ['onBeforeTryTask', 'onAfterRunTask'].filter(
    (name) => typeof prototype[name as TestMethod] !== 'function',
  )
  if (missing.length === 0) return
  throw new PgBranchError(`this version of Vitest has a runner without ${missing.join(', ')}`, {
    code: 'PGB_VITEST_UNSUPPORTED',
    hint: "scope: 'test' needs Vitest ^4.1 or ^5.",
  })
}

/** Has each test of the worker begin on a fresh branch, before its own hooks run. */
export function wrapTestMethods(
  prototype: Record<TestMethod, Method>,
  getHooks: () => Promise<TestHooks> | undefined,
): void {
  /** What went wrong before a test's first try: thrown where it fails that test alone. */
  const errors = new Map<string, unknown>()

  const wrap = (name: TestMethod, around: (hooks: TestHooks, task: Task, detail: Try) => Promise<void>) => {
    const original = prototype[name]
    prototype[name] = async function (this: never, ...args: never[]) {
      const hooks = await getHooks()
      const [task, detail] = args as unknown as [Task, Try]
      if (hooks !== undefined) await around(hooks, task, detail)
      return original?.apply(this, args)
    }
  }

  const begin = async (hooks: TestHooks, task: Task) => {
    if (isConcurrent(task)) return
    await hooks.startTest(describeTask(task))
  }

  wrap('onBeforeRunSuite', async (hooks, suite) => {
    if (!isConcurrent(suite)) await hooks.enterSuite()
  })
  wrap('onAfterRunSuite', async (hooks, suite) => {
    if (!isConcurrent(suite)) await hooks.leaveSuite()
  })
  // Before `aroundEach`, which runs before a try begins.
  wrap('onBeforeRunTask', async (hooks, task) => {
    if (task.mode !== 'run' && task.mode !== 'queued') return
    try {
      await begin(hooks, task)
    } catch (error) {
      errors.set(task.id, error)
    }
  })
  wrap('onBeforeTryTask', async (hooks, task, { retry, repeats }) => {
    const error = errors.get(task.id)
    errors.delete(task.id)
    if (error !== undefined) throw error
    if (retry > 0 || repeats > 0) await begin(hooks, task)
  })
  wrap('onTaskFinished', async (_hooks, task) => {
    if (isConcurrent(task) && !hasFixture(task.id)) throw createRefusal(task)
  })
  wrap('onAfterRunTask', async (hooks, task) => {
    const { result } = task
    if (isConcurrent(task) || result === undefined || (result.state !== 'fail' && result.state !== 'pass')) return
    const hasFailed = result.state === 'fail'
    const { note, failure } = await hooks.finishTest({ name: describeTask(task), hasFailed })
    const [error] = result.errors ?? []
    if (note !== undefined && error !== undefined) error.message = `${error.message ?? ''}${note}`
    if (failure === undefined) return
    result.state = 'fail'
    const { name, message, stack } = failure
    result.errors = [...(result.errors ?? []), { name, message, stack } as { message: string }]
  })
}

/** With its file, as Vitest's own report names it. */
function describeTask(task: Task): string {
  const around = task.suite ?? task.file
  return around === undefined || around === task ? task.name : `${describeTask(around)} > ${task.name}`
}

function createRefusal(task: Task): PgBranchError {
  return new PgBranchError(`the test "${task.name}" runs at the same time as others, and they share one address`, {
    code: 'PGB_SCOPE',
    hint: "With `scope: 'test'` take a branch of its own: import { test } from 'vitest-environment-pg-branch/test', then test.concurrent('…', async ({ branch }) => { … branch.url … }).",
  })
}
