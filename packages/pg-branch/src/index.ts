export { command, defineConfig, sql } from './config/define.ts'
export type {
  BranchAddress,
  CommandStep,
  FunctionStep,
  PostgresOptions,
  SeedStep,
  SqlStep,
  StepContext,
  UserConfig,
  VolumeOptions,
} from './config/types.ts'
export { PgBranchError, type PgBranchErrorCode } from './lib/errors.ts'
