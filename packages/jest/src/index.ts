export { PgBranchEnvironment as default } from './environment.ts'
export type { PgBranchOptions } from './options.ts'
