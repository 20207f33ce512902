import { join } from 'node:path'
import { createConnectionSlots } from '../branch/connection-slots.ts'
import { createDatabaseStrategy } from '../branch/database-strategy.ts'
import { createOrigin } from '../branch/origin.ts'
import { createLog } from '../lib/log.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import { AdvisoryLocks } from '../postgres/advisory-locks.ts'
import { openServer, withSession } from '../postgres/server.ts'
import { matchTemplate } from '../template/catalog.ts'
import { createServerKeys } from '../template/keys.ts'
import { ensureServerTemplate } from '../template/server-build.ts'
import {
  evictServerTemplates,
  findServerTemplate,
  listServerTemplates,
  touchServerTemplate,
} from '../template/server-store.ts'
import { createBuildRecord, explainRebuild } from '../template/why.ts'
import type { Place, PlaceContext } from './place.ts'
import { getParallelForks } from './prepare-cluster.ts'

const log = createLog('project')

/** Looking whether a template is still there costs a query: not more often than this. */
const checkIntervalMs = 1_000

/** Branches that are databases on the server of `url`. */
export async function prepareServer(context: PlaceContext, url: string): Promise<Place> {
  const { plan, last, paths, getBuilder, onProgress } = context
  const { config } = plan
  await using undo = new UndoStack()
  const server = await openServer(url)
  undo.push(() => server.sessions.end())
  const locks = new AdvisoryLocks(server.address)
  undo.push(() => locks.close())
  const keys = createServerKeys(plan, server)
  const record = createBuildRecord(keys, plan)
  const { sealedKey } = record
  const strategy = createDatabaseStrategy({
    server,
    locks,
    filesDir: join(paths.stateDir, 'databases'),
    onFork: config.onFork,
  })
  const { template, stepsRun, filesReused, reused } = await ensureServerTemplate({
    plan,
    last,
    keys,
    server,
    locks,
    getBuilder,
    onProgress,
  })
  const why = reused ? undefined : explainRebuild({ current: record, last })
  log('template %s on %s: %s', template.database, server.label, why ?? 'reused')
  await withSession(server, (client) => touchServerTemplate(client, template))
  await strategy.prepare(template)
  const { connectionsPerBranch, waitMs, size } = config.pool
  const { label, freeConnections } = server
  const gate = createConnectionSlots({ locks, label, freeConnections, connectionsPerBranch, waitMs })
  const origin = createOrigin({ strategy, source: template, size, parallelForks: getParallelForks() })
  undo.commit()
  let checkedAt = performance.now()
  return {
    templateKey: sealedKey,
    strategy,
    origin,
    gate,
    connectionsPerBranch,
    build: { why, stepsRun, filesReused, record },
    postgres: `server ${server.fullVersion} at ${server.label}`,
    volume: `databases on ${server.label}`,
    advice: undefined,
    rejected: [],
    news: [],
    fetchedFrom: undefined,
    expectTests() {
      // Databases share the connections that there are: none is kept open beside those of the tests.
    },
    async isTemplateThere() {
      if (performance.now() - checkedAt < checkIntervalMs) return true
      checkedAt = performance.now()
      return withSession(server, async (client) => (await findServerTemplate(client, sealedKey)) !== undefined)
    },
    async openTemplate(prefix) {
      const source = await withSession(server, async (client) => {
        const { key } = matchTemplate(await listServerTemplates(client), prefix)
        return findServerTemplate(client, key)
      })
      if (source === undefined) throw new Error(`the template ${prefix} vanished`)
      return createOrigin({ strategy, source, size: 0, parallelForks: getParallelForks() })
    },
    async evict() {
      const inUse = new Set([...keys.layers, ...keys.sealed])
      await withSession(server, (client) =>
        evictServerTemplates(client, { maxAgeDays: config.cache.maxAgeDays, inUse }),
      )
    },
    async close() {
      await locks.close()
      await server.sessions.end()
    },
  }
}
