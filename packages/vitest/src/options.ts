/** `environmentOptions.pgBranch` of a Vitest configuration, or `@vitest-environment-options` of a file. */
export interface PgBranchOptions {
  /**
   * Who shares a branch. `file`: every test file has its own. `worker`: files that run one after the
   * other in one place share one, with whatever the earlier ones left in it.
   * Default: `file`; `worker` with `isolate: false`, where modules (and the pools in them) are shared too.
   */
  scope?: 'file' | 'worker'
  /** The environment that this one extends. Default `node`. */
  base?: 'node' | 'jsdom' | 'happy-dom'
  /** Path of the pg-branch configuration, relative to the test root. Default: the nearest one upwards. */
  config?: string
}
