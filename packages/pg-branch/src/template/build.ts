import type { StepPlan, StepProgress } from '../seed/contract.ts'
import type { TemplateKeys } from './keys.ts'
import { describeLayer, describePhase, findStart } from './layers.ts'
import type { BuildRecord } from './why.ts'

export interface BuildProgress extends StepProgress {
  /** e.g. `step 2 of 3: sql db/seed.sql`. */
  phase: string
  elapsedMs: number
}

/** One turn of a build: a step (or none) on top of what was there, published under its own key. */
export interface LayerRequest<Base> {
  from: Base
  /** Undefined: there is nothing to run, only to seal. */
  stepIndex: number | undefined
  /** How many of the step's additions are in `from` already. */
  additions: number
  /** Whether the result is the template, sealed, and not a layer. */
  isLast: boolean
  key: string
  description: string
  report(progress: StepProgress): void
}

/** Where layers are kept and made: on a volume of ours, or as databases on a server of the user's. */
export interface LayerBackend<Base, Layer extends Base> {
  /** @returns a layer or template that is there, or can be had from elsewhere. */
  find(key: string): Promise<Layer | undefined>
  /** @returns what the first step begins on. */
  makeBase(report: (progress: StepProgress) => void): Promise<Base>
  extend(request: LayerRequest<Base>): Promise<Layer>
}

export interface BuildResult<T> {
  template: T
  stepsRun: number
  /** Counts the files of the first step that ran whose result was there from the last build. */
  filesReused: number
}

/** Builds the sealed template of a plan from the deepest layer that is there, keeping each new layer. */
export async function buildLayers<Base, Layer extends Base>(
  { find, makeBase, extend }: LayerBackend<Base, Layer>,
  options: {
    steps: StepPlan[]
    keys: TemplateKeys
    /** What this project was last built with. */
    last: BuildRecord | undefined
    onProgress(progress: BuildProgress): void
  },
): Promise<BuildResult<Layer>> {
  const { steps, keys, last, onProgress } = options
  const startedAt = performance.now()
  const report = (phase: string) => (progress: StepProgress) =>
    onProgress({ ...progress, phase, elapsedMs: performance.now() - startedAt })
  const start = await findStart({ steps, keys, last, find })
  let from: Base = start.layer ?? (await makeBase(report('initdb')))
  let { additions } = start
  for (let done = start.steps; ; done += 1) {
    const isLast = done >= steps.length - 1
    const count = Math.min(done + 1, steps.length)
    const layer = await extend({
      from,
      stepIndex: done < steps.length ? done : undefined,
      additions,
      isLast,
      key: (isLast ? keys.sealed[count] : keys.layers[count]) ?? '',
      description: describeLayer(steps, count),
      report: report(describePhase(steps, done, additions)),
    })
    if (isLast) return { template: layer, stepsRun: steps.length - start.steps, filesReused: start.additions }
    from = layer
    additions = 0
  }
}
