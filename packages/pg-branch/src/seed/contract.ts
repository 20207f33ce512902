import type { Client } from 'pg'
import type { LoadedConfig } from '../config/load.ts'
import type { RunnableStep } from '../config/types.ts'
import type { VariableTemplates } from '../config/variable-templates.ts'
import type { DatabaseAddress } from '../lib/connection-uri.ts'

/** The server and database that a step works on. */
export interface StepTarget extends DatabaseAddress {
  /** Whether the server holds databases that are not ours: a step must then stay in its own. */
  shared: boolean
}

/** How far a step has come; every field may grow, none shrinks but `file`. */
export interface StepProgress {
  file?: string
  bytes?: number
  totalBytes?: number
  statements?: number
  rows?: number
  /** The last line that the step itself wrote. */
  message?: string
}

/** What a step is run with. */
export interface StepRun {
  target: StepTarget
  /** Directory of the configuration: where commands run and to which names are relative. */
  baseDir: string
  onProgress(progress: StepProgress): void
  log(message: string): void
  /** Says what the user should hear once the template is built. */
  notice(message: string): void
  /** Variables of the user's that a branch has, which the build has meanwhile. */
  variables: VariableTemplates
  connect(target: StepTarget): Promise<Client>
}

/** What a step has led to. */
export interface StepResult {
  /** In which it ended. */
  database: string
  /** For the user. */
  notices: string[]
}

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

/** What a step is planned with. */
export interface PlanningContext {
  baseDir: string
  configFile: string | undefined
  downloadsDir: string
  loaded: LoadedConfig
  /** All steps: what they share is part of each function's key. */
  seed: RunnableStep[]
  /** To which a step may add what the user should hear. */
  notices: string[]
}

/** What a step does, whichever database it does it to. */
export interface StepContent {
  /** Expanded files of an SQL step; the dump of a dump step. */
  files: string[]
  plan: Omit<StepPlan, 'database' | 'kind'>
}

export interface PlannedStep {
  plan: StepPlan
  step: RunnableStep
  files: string[]
}

/** A kind of step that a seed may have. Another is one file in `kinds`, a line in `registry.ts`, and its schema in `config`. */
export interface StepKind<Step extends RunnableStep = RunnableStep> {
  readonly name: StepPlan['kind']
  includes(step: RunnableStep): step is Step
  /** @returns globs of all files whose change could change what the step does. */
  listGlobs(step: Step, baseDir: string): string[]
  /** @returns the values of the variables that it reads, null for those that are not set. */
  readVariables(step: Step): Record<string, string | null>
  /** @returns its files and the hash of all that determines it. @throws PgBranchError `PGB_STEP_INPUT`. */
  plan(step: Step, options: { index: number; context: PlanningContext }): Promise<StepContent>
  /**
   * @param options.additions how many of the step's additions the database has already.
   * @returns the database that it ended in. @throws PgBranchError `PGB_STEP_FAILED`.
   */
  run(planned: PlannedStep & { step: Step }, options: { run: StepRun; additions: number }): Promise<string>
}
