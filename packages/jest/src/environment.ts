import { relative } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type { EnvironmentContext, JestEnvironment, JestEnvironmentConfig } from '@jest/environment'
import { PgBranchError, hideUrls, createSession, pickOptions, setTestApi, type Session } from 'pg-branch/runner'
import { createBase } from './base.ts'
import { findFailure } from './failure.ts'
import { followTests } from './hook-tests.ts'

type CircusHandler = NonNullable<JestEnvironment['handleTestEvent']>

/** Jest runs its workers as children with this program, or as threads; else everything is in one process. */
const isChild = /[\\/]processChild\.js$/.test(process.argv[1] ?? '')
const runId = String(isChild && isMainThread ? process.ppid : process.pid)

/**
 * `testEnvironment: 'pg-branch'`: the environment of the project's own Jest, with a branch in the
 * variables. It wraps that one rather than extends it, since which one is an option.
 *
 * States: *made* (variables hold the sentinel) → *set up* (a branch is leased, variables point at it) →
 * *torn down* (the branch is returned, or kept if a test failed; variables are as they were before).
 * Jest tears down also after a setup that failed.
 */
export class PgBranchEnvironment implements JestEnvironment {
  readonly #inner: JestEnvironment
  readonly #session: Session
  readonly #rootDir: string
  readonly #filePath: string
  readonly #realEnv: NodeJS.ProcessEnv
  /** Whether the test runner tells the environment what it does. */
  readonly #isFollowed: boolean
  #isLeased = false
  #hasFinished = false
  #failed: string | undefined

  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    const options = pickOptions(config.projectConfig.testEnvironmentOptions)
    this.#rootDir = config.projectConfig.rootDir
    this.#filePath = context.testPath
    this.#realEnv = { ...process.env }
    this.#isFollowed = !/[\\/]jest-jasmine2[\\/]/.test(config.projectConfig.testRunner)
    if (!this.#isFollowed && (options as { scope?: unknown }).scope === 'test') throw createRunnerError()
    // Before the inner environment, which copies the variables for the tests when it is made.
    hideUrls(process.env)
    this.#inner = createBase((options as { base?: unknown }).base ?? 'node', { config, context })
    this.#session = createSession({
      options,
      runId,
      // Jest gives its workers pipes, and FORCE_COLOR where its own output is a terminal.
      isTerminal: process.stderr.isTTY || (isChild && process.env.FORCE_COLOR === '1'),
      // Tests see the copy; children that they start without `env` get the real one.
      targets: [process.env, this.#inner.global.process.env],
    })
  }

  get global(): JestEnvironment['global'] {
    return this.#inner.global
  }

  get fakeTimers(): JestEnvironment['fakeTimers'] {
    return this.#inner.fakeTimers
  }

  get fakeTimersModern(): JestEnvironment['fakeTimersModern'] {
    return this.#inner.fakeTimersModern
  }

  get moduleMocker(): JestEnvironment['moduleMocker'] {
    return this.#inner.moduleMocker
  }

  getVmContext(): ReturnType<JestEnvironment['getVmContext']> {
    return this.#inner.getVmContext()
  }

  exportConditions(): string[] {
    return this.#inner.exportConditions?.() ?? ['node', 'node-addons']
  }

  async setup(): Promise<void> {
    await this.#inner.setup()
    try {
      await this.#session.openFile({ rootDir: this.#rootDir, filePath: this.#filePath, isolate: true })
    } catch (error) {
      throw withFrame(error)
    }
    this.#isLeased = true
    setTestApi(this.global, this.#session)
  }

  readonly handleTestEvent: CircusHandler = async (event, state) => {
    await this.#inner.handleTestEvent?.(event as never, state)
    const file = relative(this.#rootDir, this.#filePath)
    const tests = await this.#session.tests
    if (tests !== undefined) await followTests(tests, event as { name: string }, file)
    // `setupFiles` have run, or the test file has been loaded: either may have read a file of variables.
    if (event.name === 'setup' || event.name === 'run_start') await this.#session.refresh()
    if (event.name !== 'run_finish') return
    this.#hasFinished = true
    const failure = findFailure(state.rootDescribeBlock)
    if (failure !== undefined) this.#failed = `${file} > ${failure}`
    else if (state.unhandledErrors.length > 0) this.#failed = file
  }

  async teardown(): Promise<void> {
    // Without an end the file itself did not load, or a hook of Jest's own failed.
    if (this.#isLeased && this.#isFollowed && !this.#hasFinished) this.#failed = this.#filePath
    await this.#session.closeFile({ failed: this.#failed })
    await this.#session.close()
    await this.#inner.teardown()
    restoreEnv(this.#realEnv)
  }
}

/** jest-jasmine2 says nothing of the tests that it runs, so that none can be given a branch of its own. */
function createRunnerError(): PgBranchError {
  return new PgBranchError(
    "the environment option `pgBranch.scope: 'test'` does not work with the test runner jest-jasmine2",
    {
      code: 'PGB_OPTION_INVALID',
      hint: "Use Jest's own, jest-circus (leave `testRunner` out), or `scope: 'file'`.",
    },
  )
}

/** Jest takes all lines up to the first frame for the message, and hides frames of its own packages, like this one. */
function withFrame(error: unknown): unknown {
  if (error instanceof PgBranchError) {
    error.stack = `${error.name}: ${error.message}\n    at setup (jest-environment-pg-branch/build/environment.js:1:1)`
  }
  return error
}

/** In one process with others, the next test file may be none of ours. */
function restoreEnv(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
}
