/** `environmentOptions.pgBranch` of a Vitest configuration, or `@vitest-environment-options` of a file. */
export interface PgBranchOptions {
  /**
   * Who shares a branch. `file`: every test file has its own. `worker`: files that run one after the
   * other in one place share one, with whatever the earlier ones left in it. `test`: every test begins
   * on a fresh branch with what `beforeAll` made, at an address that stays, so that pools stay open.
   * Default: `file`; `worker` with `isolate: false`, where modules (and the pools in them) are shared too.
   */
  scope?: 'file' | 'worker' | 'test'
  /** With `scope: 'test'`: the report of a failed test says how many rows of each table it changed. Default false. */
  diffOnFailure?: boolean
  /**
   * With `scope: 'test'`: what to do about a test that leaves a transaction or a statement open. `warn`
   * (default): its connection is closed, and a line says so. `fail`: it fails. `ignore`: no line.
   */
  leftOver?: 'warn' | 'fail' | 'ignore'
  /** The environment that this one extends. Default `node`. */
  base?: 'node' | 'jsdom' | 'happy-dom'
  /** Path of the pg-branch configuration, relative to the test root. Default: the nearest one upwards. */
  config?: string
}
