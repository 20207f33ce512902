/** `testEnvironmentOptions.pgBranch` of a Jest configuration, or of a file's `@jest-environment-options`. */
export interface PgBranchOptions {
  /**
   * Who shares a branch. `file` (default): every test file has its own. `worker`: files that run one
   * after the other in one place share one, with whatever the earlier ones left in it.
   */
  scope?: 'file' | 'worker'
  /** The environment that this one extends. Default `node`. `jsdom` needs `jest-environment-jsdom`. */
  base?: 'node' | 'jsdom'
  /** Path of the pg-branch configuration, relative to `rootDir`. Default: the nearest one upwards. */
  config?: string
}
