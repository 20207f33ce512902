import type { Plan } from './plan.ts'
import type { StepProgress, StepTarget } from './steps/contract.ts'

/** What the builder process does for the supervisor. */
export interface BuilderFunctions {
  createPlan(request: { rootDir: string; configFile: string | undefined }): Promise<Plan>
  /** @returns the database that the step ended in. */
  runStep(index: number, target: StepTarget): Promise<string>
}

/** What the supervisor hears from the builder process. */
export interface BuilderEvents {
  onStepProgress(progress: StepProgress): void
}
