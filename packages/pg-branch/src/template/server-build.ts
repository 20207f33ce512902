import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { UndoStack } from '../lib/undo-stack.ts'
import type { AdvisoryLocks } from '../postgres/advisory-locks.ts'
import { createMarkedName, dropMarked, getLockId } from '../postgres/marked-databases.ts'
import { withSession, type SharedServer } from '../postgres/shared-server.ts'
import { buildLayers, type BuildProgress, type BuildResult, type LayerBackend, type LayerRequest } from './build.ts'
import type { Builder } from './builder.ts'
import type { TemplateKeys } from './keys.ts'
import type { Plan } from './plan.ts'
import { vacuumDatabase, writeRelationCaches } from './seal.ts'
import { findServerTemplate, publishServerTemplate, type ServerTemplate } from './server-store.ts'
import type { BuildRecord } from './why.ts'

export interface ServerBuildContext {
  plan: Plan
  /** What this project was last built with. */
  last: BuildRecord | undefined
  keys: TemplateKeys
  server: SharedServer
  locks: AdvisoryLocks
  getBuilder(): Promise<Builder>
  onProgress(progress: BuildProgress): void
  /** Hears what the user should. */
  onNotice(notice: string): void
}

/**
 * @returns the template of a plan on a server, built unless it is there. Machines that want the same
 * one wait for whoever builds it.
 *
 * Like a build on a volume, each step's result is a layer: a database that the next is copied from. A
 * build has a marked name and a lock until it is published by renaming, so one that was killed is
 * dropped by the next reaper, on whatever machine.
 */
export function ensureServerTemplate(
  context: ServerBuildContext,
): Promise<BuildResult<ServerTemplate> & { reused: boolean }> {
  const { plan, keys, last, server, locks, onProgress } = context
  const sealedKey = keys.sealed.at(-1) ?? ''
  const lockId = getLockId(sealedKey.slice(0, 8))
  return withSession(server, async (client) => {
    const find = (key: string) => findServerTemplate(client, key)
    const found = await find(sealedKey)
    if (found !== undefined) return { template: found, stepsRun: 0, filesReused: 0, reused: true }
    try {
      await locks.lock('template', lockId)
      const built = await find(sealedKey)
      if (built !== undefined) return { template: built, stepsRun: 0, filesReused: 0, reused: true }
      const backend: LayerBackend<Pick<ServerTemplate, 'database'>, ServerTemplate> = {
        find,
        makeBase: async () => ({ database: 'template1' }),
        extend: (request) => extendOnServer({ ...context, client }, request),
      }
      return { ...(await buildLayers(backend, { steps: plan.steps, keys, last, onProgress })), reused: false }
    } finally {
      await locks.unlock('template', lockId)
    }
  })
}

async function extendOnServer(
  context: ServerBuildContext & { client: pg.PoolClient },
  request: LayerRequest<Pick<ServerTemplate, 'database'>>,
): Promise<ServerTemplate> {
  const { server, locks, client } = context
  const { from, stepIndex, additions, isLast, key, description, report } = request
  report({})
  await using undo = new UndoStack()
  const { id, name } = createMarkedName('build')
  await locks.lock('build', getLockId(id))
  undo.push(() => locks.unlock('build', getLockId(id)))
  // Undone in another session: this one may have broken.
  undo.push(() => withSession(server, (own) => dropMarked(own, [name])))
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${from.database}`)
  if (stepIndex !== undefined) {
    const builder = await context.getBuilder()
    builder.onProgress(report)
    const target = { ...server.address, database: name, shared: true }
    const { notices } = await builder.call.runStep(stepIndex, target, additions)
    notices.forEach((notice) => context.onNotice(notice))
  }
  if (isLast) {
    await vacuumDatabase({ ...server.address, database: name })
    // A copy of the files takes it along (source: load_relcache_init_file in relcache.c).
    await writeRelationCaches(server.address, [name])
  }
  await endSessions(client, name)
  const { template, isOurs } = await publishServerTemplate(client, { build: name, key, description })
  if (isOurs) {
    undo.commit()
    await locks.unlock('build', getLockId(id))
  }
  return template
}

/** A database can only be renamed, or copied, when nobody is connected; what a step left open is ended. */
async function endSessions(client: pg.PoolClient, name: string): Promise<void> {
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
