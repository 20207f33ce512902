import { join } from 'node:path'
import { superuser } from '../lib/superuser.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { initCluster } from '../postgres/initdb.ts'
import type { StepProgress } from '../seed/contract.ts'
import type { Volume } from '../volume/choose.ts'
import { finishDir, makeBuildDir } from './build-dir.ts'
import type { LayerBackend } from './build.ts'
import type { Builder } from './builder.ts'
import { extendLayer } from './extend-layer.ts'
import type { TemplateKeys } from './keys.ts'
import { dataName } from './manifest.ts'
import type { Plan } from './plan.ts'
import type { Template, TemplateStore } from './store.ts'

export interface ClusterBuildContext {
  plan: Plan
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
  /** Hears what the user should. */
  onNotice(notice: string): void
}

/**
 * Layers as data directories on a volume.
 *
 * Everything happens in a directory of its own below `builds`; a layer is published by renaming that
 * directory, so a build that fails or is killed leaves either a whole layer or something that the
 * reaper removes.
 */
export function createClusterLayers(context: ClusterBuildContext): LayerBackend<Template, Template> {
  const { find, keys } = context
  return {
    find,
    makeBase: async (report) => (await find(keys.base)) ?? (await buildBase(context, report)),
    extend: (request) => extendLayer(context, request),
  }
}

async function buildBase(context: ClusterBuildContext, report: (progress: StepProgress) => void): Promise<Template> {
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
