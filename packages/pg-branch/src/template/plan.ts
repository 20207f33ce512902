import type { ResolvedConfig } from '../config/types.ts'
import type { VariableTemplates } from '../config/variable-templates.ts'
import { explainNoFastIngest } from '../ingest/settings.ts'
import type { Signatures } from '../lib/inputs.ts'
import type { StepPlan } from '../seed/contract.ts'

/** What a plan is made for. */
export interface PlanRequest {
  rootDir: string
  /** Undefined: the nearest one upwards. */
  configFile: string | undefined
  /** Where dumps from URLs go. */
  downloadsDir: string
}

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
