import { PgBranchError, hideUrls, pickOptions, setTestApi } from 'pg-branch/runner'
import type { Environment } from 'vitest/runtime'
import { findBase } from './base.ts'
import { hookRunner } from './hook-runner.ts'
import { openSession } from './open-session.ts'
import { hookVmContext } from './vm-context.ts'

/** The kind of modules that Vite makes, which follows the base of the environment set up last. */
let viteEnvironment = 'ssr'

/**
 * `environment: 'pg-branch'`.
 *
 * Setup itself never waits for a branch: Vitest gives a worker 60 s to start, and a first template may
 * take longer. It only puts the sentinel into the variables; the branch is waited for when a file is
 * about to be imported.
 */
export const environment: Environment = {
  name: 'pg-branch',
  get viteEnvironment() {
    return viteEnvironment
  },
  async setup(global, environmentOptions) {
    const options = pickOptions(environmentOptions)
    hideUrls(process.env)
    const base = findBase(options)
    viteEnvironment = base.viteEnvironment ?? base.name
    const inner = await base.setup(global, environmentOptions)
    const session = openSession(options)
    const unhook = await hookRunner(session)
    setTestApi(globalThis, session)
    return {
      async teardown(target) {
        unhook()
        setTestApi(globalThis, undefined)
        await session.close()
        await inner.teardown(target)
      },
    }
  },
  async setupVM(environmentOptions) {
    const options = pickOptions(environmentOptions)
    hideUrls(process.env)
    const base = findBase(options)
    viteEnvironment = base.viteEnvironment ?? base.name
    if (base.setupVM === undefined) {
      throw new PgBranchError(`the base environment ${base.name} does not run in vm pools`, {
        code: 'PGB_OPTION_INVALID',
        hint: "Use `pool: 'forks'` or 'threads'.",
      })
    }
    const session = openSession(options)
    if (session.tests !== undefined) {
      throw new PgBranchError("the environment option `pgBranch.scope: 'test'` does not work in vm pools", {
        code: 'PGB_OPTION_INVALID',
        hint: "Their runner cannot be told to wait. Use `pool: 'forks'` or 'threads'.",
      })
    }
    const inner = await base.setupVM(environmentOptions)
    return {
      getVmContext() {
        const context = inner.getVmContext()
        setTestApi(context, session)
        hookVmContext(context, session)
        return context
      },
      async teardown() {
        await session.close()
        await inner.teardown()
      },
    }
  },
}
