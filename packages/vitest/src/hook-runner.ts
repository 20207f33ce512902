import { PgBranchError, type Session } from 'pg-branch/runner'
import { findFailure } from './failure.ts'
import { requireTestMethods, wrapTestMethods, type TestMethod } from './hook-tests.ts'

/** What we use of Vitest's own runner, which the class that a user's `runner` extends also has. */
interface RunnerInstance {
  config: { root: string; isolate: boolean }
  workerState?: { filepath?: string }
}
type Method = (this: RunnerInstance, ...args: never[]) => unknown
/** `vitest bench` has a runner of its own in Vitest 4, which knows no single tests. */
interface Runners {
  TestRunner?: { prototype: Prototype }
  BenchmarkRunner?: { prototype: Pick<Prototype, 'importFile'> }
}
type Prototype = Record<'importFile' | 'onAfterRunFiles' | TestMethod, Method | undefined>

const wrapped = Symbol.for('pg-branch.wrapped')

/** The environment that is set up now. A worker has one at a time; the prototype is wrapped once. */
let active: Session | undefined

/**
 * Has the runner of this worker wait for the branch before a file, or a setup file, is imported, and
 * return it when the file has run. Both methods are awaited by Vitest, without a time limit.
 *
 * @throws PgBranchError `PGB_VITEST_UNSUPPORTED` if this Vitest has no such methods.
 */
export async function hookRunner(session: Session): Promise<() => void> {
  const { TestRunner, BenchmarkRunner } = (await import('vitest')) as unknown as Runners
  const prototype = TestRunner?.prototype
  if (typeof prototype?.importFile !== 'function' || typeof prototype.onAfterRunFiles !== 'function') {
    throw new PgBranchError('this version of Vitest has no runner that can be told to wait', {
      code: 'PGB_VITEST_UNSUPPORTED',
      hint: 'vitest-environment-pg-branch supports Vitest ^4.1 and ^5.',
    })
  }
  if (session.tests !== undefined) requireTestMethods(prototype)
  wrapPrototype(prototype)
  if (BenchmarkRunner !== undefined) wrapImport(BenchmarkRunner.prototype)
  active = session
  return () => {
    if (active === session) active = undefined
  }
}

function wrapImport(prototype: Pick<Prototype, 'importFile'> & { [wrapped]?: boolean }): void {
  if (prototype[wrapped] === true) return
  prototype[wrapped] = true
  const { importFile } = prototype
  prototype.importFile = async function (...args) {
    const { root, isolate } = this.config
    await active?.openFile({ rootDir: root, isolate, filePath: this.workerState?.filepath ?? String(args[0]) })
    return importFile?.apply(this, args)
  }
}

function wrapPrototype(prototype: Prototype & { [wrapped]?: boolean }): void {
  if (prototype[wrapped] === true) return
  wrapImport(prototype)
  wrapTestMethods(prototype, () => active?.tests)
  const { onAfterRunFiles } = prototype
  prototype.onAfterRunFiles = async function (...args) {
    await active?.closeFile({ failed: findFailure(args[0]) })
    return onAfterRunFiles?.apply(this, args)
  }
}
