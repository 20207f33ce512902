import { join } from 'node:path'
import { findStoreName } from '../../artefact/registry.ts'
import { createOrigin } from '../../branch/origin.ts'
import type { Place, PlaceContext } from '../contract.ts'
import { PgBranchError } from '../../lib/errors.ts'
import { createLog } from '../../lib/log.ts'
import { getSystem } from '../../lib/system/get-system.ts'
import { isInMemory } from '../../reaper/generation.ts'
import { buildLayers, type BuildResult } from '../../template/build.ts'
import { matchTemplate } from '../../template/catalog.ts'
import { createClusterLayers } from '../../template/cluster-build.ts'
import { usesFastIngest } from '../../template/plan.ts'
import type { Template } from '../../template/store.ts'
import { explainRebuild } from '../../template/why.ts'
import { tryOpenExchange, type Obtained } from './exchange.ts'
import { locateCluster } from './locate.ts'
import { createClusterStrategy } from './strategy.ts'

const log = createLog('project')

/** Branches with servers of their own, cloned from a template on a volume. */
export async function ensureCluster(context: PlaceContext): Promise<Place> {
  const { plan, last, paths } = context
  const { config } = plan
  const cluster = await locateCluster(context)
  const { binaries, volume, store, keys, record, getBranchesDir, getWalDir } = cluster
  const { sealedKey } = record
  const byFastIngest = usesFastIngest(config)
  let broken: string | undefined
  const { onProgress } = context
  const storeName = findStoreName(config.cache.store, context.env)
  const { exchange, notices: said } = tryOpenExchange(storeName, { ...context, cluster })
  const onNotice = (notice: string) => void said.push(notice)
  const build = async () => {
    log('building %s', sealedKey)
    const builder = await context.getBuilder()
    const logFile = join(paths.logDir, 'build-server.log')
    const walDir = byFastIngest ? await getWalDir() : undefined
    const find = async (key: string) => (await store.find(key)) ?? exchange?.find(key)
    const layers = createClusterLayers({
      binaries,
      volume,
      store,
      find,
      logFile,
      walDir,
      plan,
      keys,
      builder,
      onNotice,
    })
    return buildLayers(layers, { steps: plan.steps, keys, last, onProgress })
  }
  const makeTemplate = async (): Promise<Obtained<BuildResult<Template>>> => {
    if (exchange !== undefined) return exchange.obtain(sealedKey, build)
    const built = await build()
    return { built, template: built.template, fetchedFrom: undefined, notices: [] }
  }
  const cached = await store.find(sealedKey, (problem) => (broken = problem))
  const made =
    cached === undefined
      ? await makeTemplate()
      : { template: cached, built: undefined, fetchedFrom: undefined, notices: [] }
  const { template, built } = made
  const why = built === undefined ? undefined : explainRebuild({ current: record, last, broken })
  await store.touch(sealedKey)
  const branchesDir = await getBranchesDir(template.bytes)
  const strategy = createClusterStrategy({
    driver: volume.driver,
    binaries,
    branchesDir,
    onFork: config.onFork,
  })
  const { size } = config.pool
  const origin = createOrigin({ strategy, source: template, size })
  const inMemory = isInMemory(branchesDir) ? `, branches in memory (${getSystem().memoryRoot})` : ''
  return {
    templateKey: sealedKey,
    origin,
    gate: undefined,
    connectionsPerBranch: undefined,
    build: { why, stepsRun: built?.stepsRun ?? 0, filesReused: built?.filesReused ?? 0, byFastIngest, record },
    postgres: `${binaries.provider} ${binaries.fullVersion}`,
    volume: `${volume.description}${inMemory}`,
    advice: volume.advice,
    news: [...made.notices, ...said],
    fetchedFrom: made.fetchedFrom,
    rejected: [...cluster.rejected, ...volume.rejected].map(({ candidate, reason }) => `${candidate}: ${reason}`),
    isTemplateThere: async () => (await store.find(sealedKey)) !== undefined,
    async openTemplate(prefix) {
      const { key, sealed } = matchTemplate(await store.list(), prefix)
      const source = sealed ? await store.find(key) : undefined
      if (source !== undefined) return createOrigin({ strategy, source, size: 0 })
      throw new PgBranchError(`the template ${key.slice(0, 8)} is a layer: only part of a seed was run in it`, {
        code: 'PGB_TEMPLATE_UNKNOWN',
        hint: 'Choose one that `pg-branch template ls` does not call a layer.',
      })
    },
    async evict() {
      await store.evict({ ...config.cache, inUse: new Set([keys.base, ...keys.layers, ...keys.sealed]) })
    },
    close: async () => {},
  }
}
