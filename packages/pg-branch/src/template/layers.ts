import type { StepPlan } from '../seed/contract.ts'
import type { TemplateKeys } from './keys.ts'
import type { BuildRecord } from './why.ts'

/** From where a build goes on. */
export interface BuildStart<T> {
  /** Undefined: from nothing. */
  layer: T | undefined
  /** Steps that have led to it. */
  steps: number
  /** How many additions of the step after these are in it already. */
  additions: number
}

/**
 * @returns the state that the most of a plan has led to and that is there: after its first steps, and,
 * if the last build had the next step with fewer files, with these.
 */
export async function findStart<T>(options: {
  steps: StepPlan[]
  keys: TemplateKeys
  last: BuildRecord | undefined
  find(key: string): Promise<T | undefined>
}): Promise<BuildStart<T>> {
  const { steps, keys, last, find } = options
  const findLayer = async (layers: Array<string | undefined>) => {
    for (const key of layers) {
      const layer = key === undefined ? undefined : await find(key)
      if (layer !== undefined) return layer
    }
    return undefined
  }
  let start: BuildStart<T> = { layer: undefined, steps: 0, additions: 0 }
  for (let count = keys.layers.length - 1; count > 0; count -= 1) {
    // A sealed state is a layer too: a longer seed continues from it.
    const layer = await findLayer([keys.layers[count], keys.sealed[count]])
    if (layer === undefined) continue
    start = { layer, steps: count, additions: 0 }
    break
  }
  const next = start.steps
  const [before, now] = [last?.steps[next], steps[next]]
  if (last?.keys === undefined || before === undefined || now === undefined) return start
  if (last.keys.layers[next] !== keys.layers[next] || !isExtension(before, now)) return start
  const layer = await findLayer([last.keys.layers[next + 1], last.keys.sealed[next + 1]])
  return layer === undefined ? start : { layer, steps: next, additions: before.additions.length }
}

/** @returns whether `now` is `before` with more at the end, and nothing else changed. */
export function isExtension(before: StepPlan, now: StepPlan): boolean {
  if (before.kind !== now.kind || before.database !== now.database) return false
  // What is run is part of a command; of SQL it is only the files that count.
  if (now.kind === 'command' && before.label !== now.label) return false
  const count = before.additions.length
  if (count === 0 || count >= now.additions.length) return false
  const isPrefix = before.additions.every(
    (name, index) => now.additions[index] === name && now.inputs[name] === before.inputs[name],
  )
  return isPrefix && JSON.stringify(listRest(before)) === JSON.stringify(listRest(now))
}

function listRest({ inputs, additions, journal }: StepPlan): Array<[string, string]> {
  const others = new Set([...additions, ...journal])
  return Object.entries(inputs).filter(([name]) => !others.has(name))
}

/** @returns what a build is at, e.g. `step 2 of 3: sql db/seed.sql`; beyond the last step it is sealing. */
export function describePhase(steps: StepPlan[], index: number, additions = 0): string {
  const step = steps[index]
  if (step === undefined) return 'sealing'
  const from = step.additions[additions]
  const part = additions === 0 || from === undefined ? '' : `, from ${from} on`
  return `step ${index + 1} of ${steps.length}: ${step.label}${part}`
}

/** @returns what the first `count` steps have made, for people. */
export function describeLayer(steps: StepPlan[], count: number): string {
  const labels = steps.slice(0, count).map(({ label }) => label)
  return labels.join(', ') || 'empty'
}
