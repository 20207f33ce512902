import type { EnvironmentOptions } from 'pg-branch/runner'

/** `environmentOptions.pgBranch` of a Vitest configuration, or `@vitest-environment-options` of a file. */
export type PgBranchOptions = EnvironmentOptions
