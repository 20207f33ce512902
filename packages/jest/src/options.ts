/** `testEnvironmentOptions.pgBranch` of a Jest configuration, or of a file's `@jest-environment-options`. */
export interface PgBranchOptions {
  /**
   * Who shares a branch. `file` (default): every test file has its own. `worker`: files that run one
   * after the other in one place share one, with whatever the earlier ones left in it. `test`: every
   * test begins on a fresh branch with what `beforeAll` made, at an address that stays, so that pools
   * stay open.
   */
  scope?: 'file' | 'worker' | 'test'
  /** With `scope: 'test'`: the report of a failed test says how many rows of each table it changed. Default false. */
  diffOnFailure?: boolean
  /**
   * With `scope: 'test'`: what to do about a test that leaves a transaction or a statement open. `warn`
   * (default): its connection is closed, and a line says so. `fail`: it fails. `ignore`: no line.
   */
  leftOver?: 'warn' | 'fail' | 'ignore'
  /** The environment that this one extends. Default `node`. `jsdom` needs `jest-environment-jsdom`. */
  base?: 'node' | 'jsdom'
  /** Path of the pg-branch configuration, relative to `rootDir`. Default: the nearest one upwards. */
  config?: string
}
