import type { Plan, PlanRequest } from './plan.ts'
import type { StepProgress, StepTarget } from './steps/contract.ts'

/** What the builder process does for the supervisor. */
export interface BuilderFunctions {
  createPlan(request: PlanRequest): Promise<Plan>
  /**
   * @param additions how many of the step's additions the database has already.
   * @returns the database that the step ended in.
   */
  runStep(index: number, target: StepTarget, additions: number): Promise<string>
}

/** What the supervisor hears from the builder process. */
export interface BuilderEvents {
  onStepProgress(progress: StepProgress): void
}
