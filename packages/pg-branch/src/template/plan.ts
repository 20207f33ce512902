import type { ResolvedConfig } from '../config/types.ts'
import { explainNoFastIngest } from '../ingest/settings.ts'
import type { Signatures } from './inputs.ts'

/** One step, as far as it matters outside the process that can run it. */
export interface StepPlan {
  kind: 'sql' | 'dump' | 'command' | 'function'
  /** How it is shown, e.g. `sql db/schema/*.sql`. */
  label: string
  /** The database that it works on; '' where there is only one, in which the step before may have left it. */
  database: string
  /** Hash of everything that determines what the step does to a database. */
  fingerprint: string
  /** Each input with its hash, to explain a rebuild: paths relative to the configuration, or names such as `env.X`. */
  inputs: Record<string, string>
  /**
   * Those of the inputs that run once each, in this order: when more are added at the end, only they run,
   * on top of what the earlier ones made.
   */
  additions: string[]
  /** Those of the inputs that change whenever something is added. */
  journal: string[]
}

/** What a plan is made for. */
export interface PlanRequest {
  rootDir: string
  /** Undefined: the nearest one upwards. */
  configFile: string | undefined
  /** Where dumps from URLs go. */
  downloadsDir: string
}

/** Variables of a branch, with `{{url}}`, `{{port}}` and so on where these go. */
export type VariableTemplates = Record<string, string>

/**
 * What one configuration means at one moment. Plain data: it is made in the builder process, used by
 * the supervisor, and kept on disk for the next one.
 */
export interface Plan {
  config: ResolvedConfig
  steps: StepPlan[]
  /** How every file and directory looked that this plan was made from. */
  signatures: Signatures
  /** Variables that the configuration read, with the values it saw; null: not set. */
  envReads: Record<string, string | null>
  variables: VariableTemplates
  /** Number of the period of `cache.rebuildEveryMs` in which it was made: it holds for no other. */
  period?: number | undefined
  /** Said to the user once. */
  notices: string[]
}

/** @returns the period that it is now; undefined if templates do not age. */
export function getPeriod({ cache }: ResolvedConfig): number | undefined {
  return cache.rebuildEveryMs === undefined ? undefined : Math.floor(Date.now() / cache.rebuildEveryMs)
}

/** Whether builds go without WAL: wanted, and nothing in the settings needs to read it. */
export function usesFastIngest({ fastIngest, postgres }: ResolvedConfig): boolean {
  return fastIngest && explainNoFastIngest(postgres.settings) === undefined
}
