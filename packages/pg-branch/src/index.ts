/**
 * The configuration, `pg-branch.config.ts`.
 *
 * @module pg-branch
 */
export { command, defineConfig, dump, preset, sql } from './config/define.ts'
export type {
  BranchAddress,
  CommandStep,
  DumpStep,
  FunctionStep,
  PostgresOptions,
  PresetStep,
  RunnableStep,
  SeedStep,
  ServerStart,
  SqlStep,
  StepContext,
  UserConfig,
  VolumeOptions,
} from './config/types.ts'
export type { PresetName } from './config/presets/registry.ts'
export type { ServerModule } from './postgres/server-start.ts'
export { PgBranchError, type PgBranchErrorCode } from './lib/errors.ts'
