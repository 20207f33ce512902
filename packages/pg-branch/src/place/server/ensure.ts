import { join } from 'node:path'
import { createOrigin } from '../../branch/origin.ts'
import type { Place, PlaceContext } from '../contract.ts'
import { createLog } from '../../lib/log.ts'
import { UndoStack } from '../../lib/undo-stack.ts'
import { AdvisoryLocks } from '../../postgres/advisory-locks.ts'
import { openSharedServer, withSession } from '../../postgres/shared-server.ts'
import { matchTemplate } from '../../template/catalog.ts'
import { createServerKeys } from '../../template/keys.ts'
import { ensureServerTemplate } from '../../template/server-build.ts'
import {
  evictServerTemplates,
  findServerTemplate,
  listServerTemplates,
  touchServerTemplate,
} from '../../template/server-store.ts'
import { createBuildRecord, explainRebuild } from '../../template/why.ts'
import { createConnectionSlots } from './connection-slots.ts'
import { reapDatabases } from './reap-databases.ts'
import { createDatabaseStrategy } from './strategy.ts'

const log = createLog('project')

/** Looking whether a template is still there costs a query: not more often than this. */
const checkIntervalMs = 1_000

/** Branches that are databases on the server of `url`. */
export async function ensureOnServer(context: PlaceContext, url: string): Promise<Place> {
  const { plan, last, paths, getBuilder, onProgress } = context
  const { config } = plan
  await using undo = new UndoStack()
  const server = await openSharedServer(url)
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
  const news: string[] = []
  const { template, stepsRun, filesReused, reused } = await ensureServerTemplate({
    plan,
    last,
    keys,
    server,
    locks,
    getBuilder,
    onProgress,
    onNotice: (notice) => void news.push(notice),
  })
  const why = reused ? undefined : explainRebuild({ current: record, last })
  log('template %s on %s: %s', template.database, server.label, why ?? 'reused')
  await withSession(server, (client) => touchServerTemplate(client, template))
  // Another reaper may be at the same databases; whatever goes wrong is nobody's test's fault.
  await reapDatabases(server, locks).catch((error: unknown) => log('reaping failed: %O', error))
  const { connectionsPerBranch, waitMs, size } = config.pool
  const { label, freeConnections } = server
  const gate = createConnectionSlots({ locks, label, freeConnections, connectionsPerBranch, waitMs })
  const origin = createOrigin({ strategy, source: template, size })
  undo.commit()
  let checkedAt = performance.now()
  return {
    templateKey: sealedKey,
    origin,
    gate,
    connectionsPerBranch,
    build: { why, stepsRun, filesReused, byFastIngest: false, record },
    postgres: `server ${server.fullVersion} at ${server.label}`,
    volume: `databases on ${server.label}`,
    advice: undefined,
    rejected: [],
    news,
    fetchedFrom: undefined,
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
      return createOrigin({ strategy, source, size: 0 })
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
