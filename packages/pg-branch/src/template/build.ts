import { join } from 'node:path'
import { superuser } from '../lib/superuser.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { initCluster } from '../postgres/initdb.ts'
import type { StepProgress } from '../seed/contract.ts'
import type { Volume } from '../volume/choose.ts'
import { finishDir, makeBuildDir } from './build-dir.ts'
import type { Builder } from './builder.ts'
import { extendLayer } from './extend-layer.ts'
import type { TemplateKeys } from './keys.ts'
import { describePhase, findStart } from './layers.ts'
import { dataName } from './manifest.ts'
import type { Plan } from './plan.ts'
import type { Template, TemplateStore } from './store.ts'
import type { BuildRecord } from './why.ts'

export interface BuildProgress extends StepProgress {
  /** e.g. `step 2 of 3: sql db/seed.sql`. */
  phase: string
  elapsedMs: number
}

export interface BuildContext {
  plan: Plan
  /** What this project was last built with. */
  last: BuildRecord | undefined
  keys: TemplateKeys
  binaries: PostgresBinaries
  volume: Volume
  store: TemplateStore
  /** @returns a template or layer that is there, or can be had from elsewhere. */
  find(key: string): Promise<Template | undefined>
  builder: Builder
  logFile: string
  /** A directory in memory, for the first WAL of fast ingest. */
  walDir: string | undefined
  onProgress(progress: BuildProgress): void
  /** Hears what the user should. */
  onNotice(notice: string): void
}

export interface BuildResult<T> {
  template: T
  stepsRun: number
  /** Of the first step that ran, files whose result was there from the last build. */
  filesReused: number
}

/**
 * Builds the sealed template of a plan from the deepest layer that is there, keeping each new layer.
 *
 * Everything happens in a directory of its own below `builds`; a layer is published by renaming that
 * directory, so a build that fails or is killed leaves either a whole layer or something that the
 * reaper removes.
 */
export async function buildTemplate(context: BuildContext): Promise<BuildResult<Template>> {
  const { plan } = context
  const startedAt = performance.now()
  const report = (phase: string) => (progress: StepProgress) =>
    context.onProgress({ ...progress, phase, elapsedMs: performance.now() - startedAt })
  const { keys, find } = context
  const start = await findStart({ steps: plan.steps, keys, last: context.last, find: context.find })
  let { layer, steps: done, additions } = start
  layer ??= (await find(keys.base)) ?? (await buildBase(context, report('initdb')))
  const stepsRun = plan.steps.length - done
  for (;;) {
    const isLast = done >= plan.steps.length - 1
    const next = await extendLayer({
      ...context,
      layer,
      stepIndex: done < plan.steps.length ? done : undefined,
      additions,
      isLast,
      report: report(describePhase(plan.steps, done, additions)),
    })
    if (isLast) return { template: next, stepsRun, filesReused: start.additions }
    layer = next
    done += 1
    additions = 0
  }
}

async function buildBase(context: BuildContext, report: (progress: StepProgress) => void): Promise<Template> {
  const { plan, binaries, volume, store, keys } = context
  report({})
  await using undo = new UndoStack()
  const dir = await makeBuildDir(volume, undo)
  await volume.driver.create(join(dir, dataName))
  await initCluster({
    binaries,
    dataDir: join(dir, dataName),
    settings: {},
    initdb: plan.config.postgres.initdb,
  })
  await finishDir({
    dir,
    key: keys.base,
    sealed: false,
    description: binaries.fullVersion,
    database: 'postgres',
    user: superuser,
    buildMs: 0,
    isUnchecked: false,
    binaries,
  })
  return await store.publish(dir, { key: keys.base, undo })
}
