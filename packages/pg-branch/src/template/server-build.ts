import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { getErrorCode } from '../lib/errors.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import type { AdvisoryLocks } from '../postgres/advisory-locks.ts'
import { createMarkedName, dropMarked, getLockId } from '../postgres/marked-databases.ts'
import type { SharedServer } from '../postgres/server.ts'
import type { BuildProgress } from './build.ts'
import type { Builder } from './builder.ts'
import type { TemplateKeys } from './keys.ts'
import type { Plan } from './plan.ts'
import { vacuumDatabase } from './seal.ts'
import type { StepProgress } from './steps/contract.ts'
import type { ServerStore, ServerTemplate } from './server-store.ts'

export interface ServerBuildContext {
  plan: Plan
  keys: TemplateKeys
  server: SharedServer
  locks: AdvisoryLocks
  store: ServerStore
  getBuilder(): Promise<Builder>
  onProgress(progress: BuildProgress): void
}

/**
 * @returns the template of a plan on a server, built unless it is there. Machines that want the same
 * one wait for whoever builds it.
 *
 * Like a build on a volume, each step's result is a layer: a database that the next is copied from. A
 * build has a marked name and a lock until it is published by renaming, so one that was killed is
 * dropped by the next reaper, on whatever machine.
 */
export async function ensureServerTemplate(
  context: ServerBuildContext,
): Promise<{ template: ServerTemplate; stepsRun: number; reused: boolean }> {
  const { plan, keys, server, locks, store } = context
  const sealedKey = keys.sealed.at(-1) ?? ''
  const client = await server.connect()
  const lockId = getLockId(sealedKey.slice(0, 8))
  try {
    const found = await store.find(client, sealedKey)
    if (found !== undefined) return { template: found, stepsRun: 0, reused: true }
    await locks.lock('template', lockId)
    const built = await store.find(client, sealedKey)
    if (built !== undefined) return { template: built, stepsRun: 0, reused: true }
    let { layer, steps: done } = await findDeepestLayer(context, client)
    const stepsRun = plan.steps.length - done
    for (;;) {
      const isLast = done >= plan.steps.length - 1
      layer = await extendLayer({ ...context, client, layer, stepIndex: done, isLast })
      if (isLast) return { template: layer, stepsRun, reused: false }
      done += 1
    }
  } finally {
    await locks.unlock('template', lockId)
    await client.end().catch(() => {})
  }
}

async function findDeepestLayer(
  { plan, keys, store }: ServerBuildContext,
  client: pg.Client,
): Promise<{ layer: ServerTemplate | undefined; steps: number }> {
  for (let steps = plan.steps.length; steps > 0; steps -= 1) {
    for (const key of [keys.layers[steps], keys.sealed[steps]]) {
      const layer = key === undefined ? undefined : await store.find(client, key)
      if (layer !== undefined) return { layer, steps }
    }
  }
  return { layer: undefined, steps: 0 }
}

async function extendLayer(
  options: ServerBuildContext & {
    client: pg.Client
    layer: ServerTemplate | undefined
    stepIndex: number
    isLast: boolean
  },
): Promise<ServerTemplate> {
  const { plan, keys, server, locks, client, layer, stepIndex, isLast } = options
  const step = plan.steps[stepIndex]
  const startedAt = performance.now()
  const phase = step === undefined ? 'sealing' : `step ${stepIndex + 1} of ${plan.steps.length}: ${step.label}`
  const report = (progress: StepProgress) =>
    options.onProgress({ ...progress, phase, elapsedMs: performance.now() - startedAt })
  report({})
  await using undo = new UndoStack()
  const { id, name } = createMarkedName('build')
  await locks.lock('build', getLockId(id))
  undo.push(() => locks.unlock('build', getLockId(id)))
  // Undone by a connection of its own: this one may have broken.
  undo.push(() => withClient(server, (own) => dropMarked(own, [name])))
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${layer?.database ?? 'template1'}`)
  if (step !== undefined) {
    const builder = await options.getBuilder()
    builder.onProgress(report)
    await builder.call.runStep(stepIndex, { ...server.address, database: name, shared: true })
  }
  if (isLast) await vacuumDatabase({ ...server.address, database: name })
  await endSessions(client, name)
  const steps = step === undefined ? 0 : stepIndex + 1
  const key = (isLast ? keys.sealed[steps] : keys.layers[steps]) ?? ''
  const labels = plan.steps.slice(0, steps).map(({ label }) => label)
  const template = await publish(options, { build: name, key, description: labels.join(', ') || 'empty' })
  // Somebody else's then: ours is dropped.
  if (template === undefined) return findPublished(options, key)
  undo.commit()
  await locks.unlock('build', getLockId(id))
  return template
}

/** @returns undefined if another project of this supervisor, which shares its locks, was faster. */
async function publish(
  { client, store }: { client: pg.Client; store: ServerStore },
  build: { build: string; key: string; description: string },
): Promise<ServerTemplate | undefined> {
  try {
    return await store.publish(client, build)
  } catch (error) {
    if (getErrorCode(error) === duplicateDatabase) return undefined
    throw error
  }
}

const duplicateDatabase = '42P04'

async function findPublished(
  { client, store }: { client: pg.Client; store: ServerStore },
  key: string,
): Promise<ServerTemplate> {
  const template = await store.find(client, key)
  if (template === undefined) throw new Error(`the template ${key} vanished after it was published`)
  return template
}

/** A database can only be renamed, or copied, when nobody is connected; what a step left open is ended. */
async function endSessions(client: pg.Client, name: string): Promise<void> {
  await client.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`)
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { rowCount } = await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
      [name],
    )
    if (rowCount === 0) return
    await sleep(20)
  }
}

async function withClient(server: SharedServer, action: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = await server.connect()
  try {
    await action(client)
  } finally {
    await client.end()
  }
}
