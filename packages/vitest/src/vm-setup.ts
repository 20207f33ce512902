import { afterAll } from 'vitest'
import { findFailure, type TaskLike } from './failure.ts'
import type { VmHooks } from './vm-context.ts'

// Runs inside the context, once for every test file, before the user's own setup files.
const hooks = (globalThis as unknown as Record<symbol, VmHooks | undefined>)[Symbol.for('pg-branch.vm-hooks')]
await hooks?.openFile()

// Without parameters: Vitest 5 reads the first one as fixtures, Vitest 4 passes the suite in its place.
afterAll(async function () {
  const suite = [...(arguments as unknown as Array<TaskLike | undefined>)].find((argument) =>
    Array.isArray(argument?.tasks),
  )
  await hooks?.closeFile({ failed: findFailure(suite?.tasks) })
})
