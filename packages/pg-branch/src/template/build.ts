import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loopbackHost } from '../lib/connection-uri.ts'
import { createRandomHex } from '../lib/hash.ts'
import { superuser } from '../lib/superuser.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import { connect } from '../postgres/client.ts'
import { startCluster, type Cluster } from '../postgres/cluster.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { initCluster } from '../postgres/initdb.ts'
import { buildSettings, createBranchSettings, renderSettings } from '../postgres/settings.ts'
import type { Volume } from '../volume/choose.ts'
import type { Builder } from './builder.ts'
import type { TemplateKeys } from './keys.ts'
import { describeLayer, describePhase, findDeepestLayer } from './layers.ts'
import { dataName, formatVersion, listFiles, writeManifest } from './manifest.ts'
import type { Plan } from './plan.ts'
import { prepareDatabases, setPasswords } from './prepare-databases.ts'
import { refuseTablespaces, sealDatabases } from './seal.ts'
import type { StepProgress, StepTarget } from './steps/contract.ts'
import type { Template, TemplateStore } from './store.ts'

export interface BuildProgress extends StepProgress {
  /** e.g. `step 2 of 3: sql db/seed.sql`. */
  phase: string
  elapsedMs: number
}

export interface BuildContext {
  plan: Plan
  keys: TemplateKeys
  binaries: PostgresBinaries
  volume: Volume
  store: TemplateStore
  builder: Builder
  logFile: string
  onProgress(progress: BuildProgress): void
}

/**
 * Builds the sealed template of a plan from the deepest layer that is there, keeping each new layer.
 *
 * Everything happens in a directory of its own below `builds`; a layer is published by renaming that
 * directory, so a build that fails or is killed leaves either a whole layer or something that the
 * reaper removes.
 */
export async function buildTemplate(context: BuildContext): Promise<{ template: Template; stepsRun: number }> {
  const { plan } = context
  const startedAt = performance.now()
  const report = (phase: string) => (progress: StepProgress) =>
    context.onProgress({ ...progress, phase, elapsedMs: performance.now() - startedAt })
  const { keys, store } = context
  let { layer, steps: done } = await findDeepestLayer(keys, (key) => store.find(key))
  layer ??= (await store.find(keys.base)) ?? (await buildBase(context, report('initdb')))
  const stepsRun = plan.steps.length - done
  for (;;) {
    const isLast = done >= plan.steps.length - 1
    const next = await extendLayer({
      ...context,
      layer,
      stepIndex: done < plan.steps.length ? done : undefined,
      isLast,
      report: report(describePhase(plan.steps, done)),
    })
    if (isLast) return { template: next, stepsRun }
    layer = next
    done += 1
  }
}

async function buildBase(context: BuildContext, report: (progress: StepProgress) => void): Promise<Template> {
  const { plan, binaries, volume, store, keys } = context
  report({})
  await using undo = new UndoStack()
  const dir = await makeBuildDir(volume, undo)
  const password = createRandomHex(16)
  await volume.driver.create(join(dir, dataName))
  await initCluster({
    binaries,
    dataDir: join(dir, dataName),
    settings: {},
    password,
    initdb: plan.config.postgres.initdb,
  })
  await finishDir({
    dir,
    key: keys.base,
    sealed: false,
    description: binaries.fullVersion,
    password,
    database: 'postgres',
    user: superuser,
    buildMs: 0,
    binaries,
  })
  const template = await store.publish(dir, keys.base)
  undo.commit()
  return template
}

/** Clones a layer, runs one step (or none) on it, and publishes the result. */
async function extendLayer(
  options: BuildContext & {
    layer: Template
    stepIndex: number | undefined
    isLast: boolean
    report(progress: StepProgress): void
  },
): Promise<Template> {
  const { plan, keys, binaries, volume, store, builder, layer, stepIndex, isLast, report } = options
  const startedAt = performance.now()
  report({})
  await using undo = new UndoStack()
  const dir = await makeBuildDir(volume, undo)
  const dataDir = join(dir, dataName)
  await volume.driver.clone({ from: layer.dataDir, to: dataDir })
  const settings = createBranchSettings(binaries.version, plan.config.postgres)
  await writeFile(join(dataDir, 'postgresql.conf'), renderSettings(settings))
  const cluster = await startCluster({ binaries, dataDir, logFile: options.logFile, settings: buildSettings })
  undo.push(() => cluster.stop('discard'))
  const target = {
    host: loopbackHost,
    port: cluster.port,
    user: superuser,
    password: layer.password,
    database: 'postgres',
    shared: false,
  }
  // Held open over the step, which may change the password of this very role.
  const admin = await connect(target)
  undo.push(() => admin.end())
  const { user, databases } = plan.config
  const isFirst = layer.key === keys.base
  if (isFirst) {
    await prepareDatabases(admin, plan.config)
    await setPasswords(admin, { user, password: layer.password })
  }
  target.database = isFirst ? (databases[0] ?? 'postgres') : layer.database
  builder.onProgress(report)
  if (stepIndex !== undefined) {
    const own = plan.steps[stepIndex]?.database ?? ''
    const database = own === '' ? target.database : own
    const left = await runStep({ builder, cluster, stepIndex, target: { ...target, user: user.name, database } })
    if (own === '') target.database = left
  }
  await setPasswords(admin, { user, password: layer.password })
  if (isLast) await sealDatabases(admin, target)
  await refuseTablespaces(dataDir)
  await admin.query('CHECKPOINT')
  await admin.end()
  await cluster.stop('clean')
  const steps = stepIndex === undefined ? plan.steps.length : stepIndex + 1
  const key = (isLast ? keys.sealed[steps] : keys.layers[steps]) ?? ''
  const description = describeLayer(plan.steps, steps)
  const buildMs = performance.now() - startedAt
  await finishDir({
    dir,
    key,
    sealed: isLast,
    description,
    password: layer.password,
    database: target.database,
    user: user.name,
    buildMs,
    binaries,
  })
  const template = await store.publish(dir, key)
  undo.commit()
  return template
}

async function runStep(options: {
  builder: Builder
  cluster: Cluster
  stepIndex: number
  target: StepTarget
}): Promise<string> {
  const { builder, cluster, stepIndex, target } = options
  const died = cluster.exited.then(() => {
    throw new Error('the Postgres server of the build ended in mid-step')
  })
  // Only awaited in the race; after it the server ends in the ordinary way.
  died.catch(() => {})
  return Promise.race([builder.call.runStep(stepIndex, target), died])
}

async function makeBuildDir(volume: Volume, undo: UndoStack): Promise<string> {
  const dir = join(volume.buildsDir, `build-${createRandomHex(6)}`)
  // 0711 for root's server user, who must enter it; its name cannot be listed.
  await mkdir(dir, { mode: 0o711 })
  undo.push(async () => {
    await volume.driver.remove([join(dir, dataName)])
    await rm(dir, { recursive: true, force: true })
  })
  return dir
}

async function finishDir(options: {
  dir: string
  key: string
  sealed: boolean
  description: string
  password: string
  database: string
  user: string
  buildMs: number
  binaries: PostgresBinaries
}): Promise<void> {
  const { dir, binaries, ...rest } = options
  const { files, bytes } = await listFiles(join(dir, dataName))
  await writeManifest(dir, {
    formatVersion,
    ...rest,
    buildId: binaries.buildId,
    createdAt: new Date().toISOString(),
    bytes,
    files,
  })
}
