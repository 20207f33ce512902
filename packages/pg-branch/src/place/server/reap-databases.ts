import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../../lib/log.ts'
import { lockKinds, type AdvisoryLocks } from '../../postgres/advisory-locks.ts'
import { dropMarked, getLockId, parseMarkedName } from '../../postgres/marked-databases.ts'
import { withSession, type SharedServer } from '../../postgres/shared-server.ts'

const log = createLog('reaper')

/** A machine whose connection broke takes its locks again within this time. */
const graceMs = 1_000

/** Drops branches and builds of dead sessions, on whatever machine: those whose lock nobody holds, now and a moment later. */
export async function reapDatabases(server: SharedServer, locks: AdvisoryLocks): Promise<void> {
  const first = await findDead(server, locks)
  if (first.length === 0) return
  await sleep(graceMs)
  const second = new Set(await findDead(server, locks))
  const dead = first.filter((name) => second.has(name))
  log('dropping %d databases of dead sessions: %o', dead.length, dead)
  await withSession(server, async (client) => {
    // One reaper at a time, on whatever machine: two that drop the same database get into each other's way.
    await client.query('SELECT pg_advisory_lock($1, 0)', [lockKinds.reaper])
    try {
      await dropMarked(client, dead)
    } finally {
      await client.query('SELECT pg_advisory_unlock($1, 0)', [lockKinds.reaper])
    }
  })
}

async function findDead(server: SharedServer, locks: AdvisoryLocks): Promise<string[]> {
  // Names first: what is made in between has its lock before its name.
  const names = await withSession(server, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      "SELECT datname FROM pg_database WHERE datname LIKE 'pgb\\_%'",
    )
    return rows.flatMap(({ datname }) => parseMarkedName(datname) ?? [])
  })
  const alive = new Set<number>()
  for (const kind of ['branch', 'build'] as const) for (const { id } of await locks.listHolders(kind)) alive.add(id)
  return names.filter(({ id }) => !alive.has(getLockId(id))).map(({ name }) => name)
}
