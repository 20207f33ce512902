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
    const others = config.setupFiles.filter((file) => !file.startsWith(setupFile))
    let count = 0
    // One context may have several files, and a module that is not the user's own is evaluated once in it.
    Object.defineProperty(config, 'setupFiles', {
      configurable: true,
      enumerable: true,
      get: () => [`${setupFile}?file=${++count}`, ...others],
    })
    if (config.sequence !== undefined) config.sequence.setupFiles = 'list'
    // Every file has a context, and so modules, of its own, whatever `isolate` says.
    const hooks: VmHooks = {
      openFile: () => {
        const { filepath = '' } = (context.__vitest_worker__ as WorkerState | undefined) ?? state
        return session.openFile({ rootDir: config.root, isolate: true, filePath: filepath })
      },
      closeFile: (result) => session.closeFile(result),
    }
    Object.defineProperty(context, vmHooks, { value: hooks, configurable: true })
  })
}
