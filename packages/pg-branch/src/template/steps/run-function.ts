import type { FunctionStep } from '../../config/types.ts'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import type { StepRun } from './contract.ts'
import { findStepHint } from './step-hint.ts'
import { createBuildVariables } from './variables.ts'

/**
 * Calls a function step with a connected client.
 *
 * @throws PgBranchError `PGB_STEP_FAILED`, whose cause is what the function threw.
 */
export async function runFunction(step: FunctionStep, { run, label }: { run: StepRun; label: string }): Promise<void> {
  const variables = createBuildVariables(run.target)
  // Code that the function calls may look for its database where it always does.
  Object.assign(process.env, variables)
  const client = await run.connect(run.target)
  try {
    await step({ url: variables.DATABASE_URL ?? '', client, log: (message) => run.log(message) })
  } catch (error) {
    const { detail, hint } = error as { detail?: string; hint?: string }
    const frames = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 4).join('\n') : ''
    throw new PgBranchError(
      `${label} threw: ${describeError(error)}${detail === undefined ? '' : `\n  detail: ${detail}`}\n${frames}`,
      {
        code: 'PGB_STEP_FAILED',
        hint:
          findStepHint(describeError(error)) ??
          hint ??
          'It is your own function in the configuration file; the template is built again on the next run.',
        cause: error,
      },
    )
  } finally {
    await client.end().catch(() => {})
  }
}
