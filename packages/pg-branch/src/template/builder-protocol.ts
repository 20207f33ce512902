import type { StepProgress, StepResult, StepTarget } from '../seed/contract.ts'
import type { Plan, PlanRequest } from './plan.ts'

/** What the builder process does for the supervisor. */
export interface BuilderFunctions {
  createPlan(request: PlanRequest): Promise<Plan>
  /**
   * @param additions how many of the step's additions the database has already.
   */
  runStep(index: number, target: StepTarget, additions: number): Promise<StepResult>
}

/** What the supervisor hears from the builder process. */
export interface BuilderEvents {
  onStepProgress(progress: StepProgress): void
}
