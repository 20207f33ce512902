import type { TemplateKeys } from './keys.ts'
import type { StepPlan } from './plan.ts'

/** @returns the state that the most steps of a plan have led to and that is there, and how many steps these are. */
export async function findDeepestLayer<T>(
  keys: TemplateKeys,
  find: (key: string) => Promise<T | undefined>,
): Promise<{ layer: T | undefined; steps: number }> {
  for (let steps = keys.layers.length - 1; steps > 0; steps -= 1) {
    // A sealed state is a layer too: a longer seed continues from it.
    for (const key of [keys.layers[steps], keys.sealed[steps]]) {
      const layer = key === undefined ? undefined : await find(key)
      if (layer !== undefined) return { layer, steps }
    }
  }
  return { layer: undefined, steps: 0 }
}

/** @returns what a build is at, e.g. `step 2 of 3: sql db/seed.sql`; beyond the last step it is sealing. */
export function describePhase(steps: StepPlan[], index: number): string {
  const step = steps[index]
  return step === undefined ? 'sealing' : `step ${index + 1} of ${steps.length}: ${step.label}`
}

/** @returns what the first `count` steps have made, for people. */
export function describeLayer(steps: StepPlan[], count: number): string {
  const labels = steps.slice(0, count).map(({ label }) => label)
  return labels.join(', ') || 'empty'
}
