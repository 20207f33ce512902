import type { EnvironmentOptions } from 'pg-branch/runner'

/** `testEnvironmentOptions.pgBranch` of a Jest configuration, or of a file's `@jest-environment-options`. */
export interface PgBranchOptions extends EnvironmentOptions {
  /** The environment that this one extends. Default `node`. `jsdom` needs `jest-environment-jsdom`. */
  base?: 'node' | 'jsdom' | undefined
}
