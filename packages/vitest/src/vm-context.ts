import type { Context } from 'node:vm'
import { fileURLToPath } from 'node:url'
import { PgBranchError, type Session } from 'pg-branch/runner'

/** What our setup file finds in the context, under this symbol. */
export interface VmHooks {
  openFile(): Promise<void>
  closeFile(result: { failed: string | undefined }): Promise<void>
}

const vmHooks: unique symbol = Symbol.for('pg-branch.vm-hooks') as never

const setupFile = fileURLToPath(new URL('./vm-setup.js', import.meta.url))

interface WorkerState {
  filepath?: string
  config: { root: string; setupFiles: string[]; sequence?: { setupFiles?: string } }
}

/**
 * In vm pools the runner lives inside the context, out of reach; but Vitest puts the worker's state
 * there right after it asked for the context, and reads `setupFiles` from it later. Our setup file
 * goes first, and the others wait for it.
 */
export function hookVmContext(context: Context, session: Session): void {
  queueMicrotask(() => {
    const state = context.__vitest_worker__ as WorkerState | undefined
    if (!Array.isArray(state?.config.setupFiles)) {
      throw new PgBranchError('this version of Vitest does not say in its vm pools what it runs', {
        code: 'PGB_VITEST_UNSUPPORTED',
        hint: "Use `pool: 'forks'` or 'threads'; vitest-environment-pg-branch supports Vitest ^4.1 and ^5.",
      })
    }
    const { config } = state
    config.setupFiles = [setupFile, ...config.setupFiles.filter((file) => file !== setupFile)]
    if (config.sequence !== undefined) config.sequence.setupFiles = 'list'
    // Every file has a context, and so modules, of its own, whatever `isolate` says.
    const hooks: VmHooks = {
      openFile: () => session.openFile({ rootDir: config.root, isolate: true, filePath: state.filepath ?? '' }),
      closeFile: (result) => session.closeFile(result),
    }
    Object.defineProperty(context, vmHooks, { value: hooks, configurable: true })
  })
}
