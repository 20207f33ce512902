import { relative } from 'node:path'
import type { FunctionStep } from '../../config/types.ts'
import type { PlanningContext, StepContent, StepKind, StepRun } from '../contract.ts'
import { getSurroundingCode } from '../function-fingerprint.ts'
import { hashFiles } from '../hash-files.ts'
import { formatUrl } from '../../lib/connection-uri.ts'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import { hashValue } from '../../lib/hash.ts'
import { findStepHint } from '../step-hint.ts'
import { createBuildVariables } from '../variables.ts'

/** A function of the configuration's, with a connected client. */
export const functionKind: StepKind<FunctionStep> = {
  name: 'function',
  includes: (step): step is FunctionStep => typeof step === 'function',
  // The file that it stands in is watched with all that it imports.
  listGlobs: () => [],
  readVariables: () => ({}),
  plan: planFunction,
  async run({ step, plan }, { run }) {
    await runFunction(step, { run, label: plan.label })
    return run.target.database
  },
}

async function planFunction(
  step: FunctionStep,
  { index, context }: { index: number; context: PlanningContext },
): Promise<StepContent> {
  const { loaded, seed, baseDir, configFile = '' } = context
  const functions = seed.filter((other) => typeof other === 'function')
  const inputs = {
    'its own text': hashValue(step.toString()),
    [`${relative(baseDir, configFile)} around the seed`]: hashValue(getSurroundingCode(loaded.code, functions)),
    ...(await hashFiles(loaded.imports, baseDir)),
    // What was read while the file loaded may be anywhere in its values.
    ...Object.fromEntries(Object.entries(loaded.envReads).map(([name, value]) => [`env.${name}`, hashValue(value)])),
  }
  const label = `function ${step.name === '' ? `seed[${index}]` : step.name}`
  return {
    files: [],
    plan: {
      label,
      inputs,
      additions: [],
      journal: [],
      fingerprint: hashValue(['function', Object.entries(inputs)]),
    },
  }
}

/**
 * Calls a function step with a connected client.
 *
 * @throws PgBranchError `PGB_STEP_FAILED`, whose cause is what the function threw.
 */
async function runFunction(step: FunctionStep, { run, label }: { run: StepRun; label: string }): Promise<void> {
  const variables = createBuildVariables(run)
  // Code that the function calls may look for its database where it always does.
  Object.assign(process.env, variables)
  const client = await run.connect(run.target)
  try {
    await step({ url: formatUrl(run.target), client, log: (message) => run.log(message) })
  } catch (error) {
    const { detail, hint } = error as { detail?: string; hint?: string }
    const said = [
      detail === undefined ? '' : `\n  detail: ${detail}`,
      hint === undefined ? '' : `\n  hint of the server: ${hint}`,
    ]
    const frames = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 4).join('\n') : ''
    throw new PgBranchError(`${label} threw: ${describeError(error)}${said.join('')}\n${frames}`, {
      code: 'PGB_STEP_FAILED',
      hint: findStepHint(error) ?? 'It is your own function in the configuration file.',
      cause: error,
    })
  } finally {
    await client.end().catch(() => {})
  }
}
