import type { TemplateReport } from '../protocol/protocol.ts'
import type { StepPlan } from '../seed/contract.ts'
import type { TemplateKeys } from '../template/keys.ts'
import { findStart, type BuildStart } from '../template/layers.ts'
import { createBuildRecord, explainRebuild } from '../template/why.ts'
import type { ExplainContext } from './contract.ts'

/** @returns what a build would do where `find` finds templates and layers. */
export async function explainBuild(
  { plan, last }: Pick<ExplainContext, 'plan' | 'last'>,
  keys: TemplateKeys,
  find: (key: string) => Promise<unknown>,
): Promise<TemplateReport> {
  const current = createBuildRecord(keys, plan)
  const { steps, notices } = plan
  const key = current.sealedKey
  if ((await find(key)) !== undefined) {
    return { key, why: undefined, steps: describeSteps(steps, { steps: steps.length, additions: 0 }), notices }
  }
  const start = await findStart({ steps, keys, last, find })
  return { key, why: explainRebuild({ current, last }), steps: describeSteps(steps, start), notices }
}

/** @returns what of each step is run when a build goes on from `start`. */
export function describeSteps(
  steps: StepPlan[],
  start: Pick<BuildStart<unknown>, 'steps' | 'additions'>,
): TemplateReport['steps'] {
  return steps.map(({ label, additions }, index) => {
    if (index < start.steps) return { label, runs: 'cached' }
    if (index > start.steps || start.additions === 0) return { label, runs: 'whole' }
    return { label, runs: 'rest', from: additions[start.additions] }
  })
}
