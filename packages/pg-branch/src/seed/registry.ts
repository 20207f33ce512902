import type { RunnableStep } from '../config/types.ts'
import { hashValue } from '../lib/hash.ts'
import type { PlannedStep, PlanningContext, StepKind, StepRun } from './contract.ts'
import { commandKind } from './kinds/command.ts'
import { dumpKind } from './kinds/dump.ts'
import { functionKind } from './kinds/function.ts'
import { sqlKind } from './kinds/sql.ts'

/** A step of whichever kind. */
interface Step {
  readonly kind: StepKind['name']
  listGlobs(baseDir: string): string[]
  readVariables(): Record<string, string | null>
  plan(options: Parameters<StepKind['plan']>[1]): ReturnType<StepKind['plan']>
  run(planned: PlannedStep, options: { run: StepRun; additions: number }): Promise<string>
}

interface Matcher {
  name: StepKind['name']
  open(step: RunnableStep): Step | undefined
}

function match<Kind extends RunnableStep>(kind: StepKind<Kind>): Matcher {
  return {
    name: kind.name,
    open: (step) =>
      kind.includes(step)
        ? {
            kind: kind.name,
            listGlobs: (baseDir) => kind.listGlobs(step, baseDir),
            readVariables: () => kind.readVariables(step),
            plan: (options) => kind.plan(step, options),
            run: (planned, options) => kind.run({ ...planned, step }, options),
          }
        : undefined,
  }
}

const matchers: Matcher[] = [match(sqlKind), match(dumpKind), match(commandKind), match(functionKind)]

/** Names of all kinds. */
export const stepKindNames: Array<StepKind['name']> = matchers.map(({ name }) => name)

export function openStep(step: RunnableStep): Step {
  for (const matcher of matchers) {
    const found = matcher.open(step)
    if (found !== undefined) return found
  }
  throw new Error('a step of no kind')
}

/** @returns a step with the files it runs and the hash of all that determines it. */
export async function planStep(
  step: RunnableStep,
  { index, context, database }: { index: number; context: PlanningContext; database: string },
): Promise<PlannedStep> {
  const { kind, plan: planIt } = openStep(step)
  const { plan, files } = await planIt({ index, context })
  const fingerprint = database === '' ? plan.fingerprint : hashValue([database, plan.fingerprint])
  return { step, files, plan: { ...plan, kind, database, fingerprint } }
}
