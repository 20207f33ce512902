import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BranchSource, BranchStrategy } from '../../branch/contract.ts'
import { runOnFork } from '../../branch/on-fork.ts'
import { PgBranchError, getErrorCode } from '../../lib/errors.ts'
import { UndoStack } from '../../lib/undo-stack.ts'
import type { AdvisoryLocks } from '../../postgres/advisory-locks.ts'
import { withClient } from '../../postgres/client.ts'
import { createMarkedName, dropMarked, getLockId, type MarkedName } from '../../postgres/marked-databases.ts'
import { retryWhileDown, withSession, type SharedServer } from '../../postgres/shared-server.ts'
import { chooseCopyMethod, copyDatabase, type CopyMethod } from './copy-method.ts'

/** A template, or a snapshot: nobody is connected to it. */
export interface DatabaseSource extends BranchSource {
  bytes: number
}

/** SQLSTATE object_in_use. */
const objectInUse = '55006'

/**
 * A database on a server of the user's: isolated in its data; roles and settings are the server's.
 * Each has an advisory lock from before it is made until after it is dropped.
 */
export function createDatabaseStrategy(options: {
  server: SharedServer
  locks: AdvisoryLocks
  /** Where files that belong to a branch are put, e.g. the password of a kept one. */
  filesDir: string
  /** SQL that every branch runs when it is made. */
  onFork?: string | undefined
}): BranchStrategy<DatabaseSource> {
  const { server, locks, filesDir, onFork } = options
  let chosen: Promise<CopyMethod> | undefined

  const drop = (name: string) => withSession(server, (client) => dropMarked(client, [name]))

  const runInside = (database: string, text: string) =>
    withClient({ ...server.address, database }, (client) => runOnFork(client, text))

  /** Makes a database, or nothing. */
  const create = async (
    template: DatabaseSource,
    { method, isFork }: { method: CopyMethod; isFork: boolean },
  ): Promise<MarkedName> => {
    const marked = createMarkedName('branch')
    await using undo = new UndoStack()
    await locks.lock('branch', getLockId(marked.id))
    undo.push(() => locks.unlock('branch', getLockId(marked.id)))
    undo.push(() => retryWhileDown(() => drop(marked.name)))
    await withSession(server, (client) => copyDatabase(client, { from: template.database, to: marked.name, method }))
    if (isFork && onFork !== undefined) await runInside(marked.name, onFork)
    undo.commit()
    return marked
  }

  const discardOne = async ({ id, name }: Pick<MarkedName, 'id' | 'name'>) => {
    await retryWhileDown(() => drop(name))
    await locks.unlock('branch', getLockId(id))
    await rm(join(filesDir, id), { recursive: true, force: true })
  }

  const trial = async (template: DatabaseSource, method: CopyMethod) =>
    discardOne(await create(template, { method, isFork: false }))

  const choose = (source: DatabaseSource) =>
    (chosen ??= chooseCopyMethod(source, { server, trial: (method) => trial(source, method) }))

  const measure = (database: string) =>
    withSession(server, async (client) => {
      const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size($1)::text AS bytes', [database])
      return Number(rows[0]?.bytes ?? 0)
    })

  return {
    name: 'database',
    capabilities: { recycles: false, liveSnapshots: false, varies: onFork !== undefined },
    async snapshot({ database }) {
      try {
        const bytes = await measure(database)
        const method = await choose({ key: database, database, bytes })
        const { id, name } = await create({ key: database, database, bytes }, { method, isFork: false })
        return { key: id, database: name, bytes, isSnapshot: true }
      } catch (error) {
        if (getErrorCode(error) !== objectInUse) throw error
        throw new PgBranchError(`the database ${database} cannot be saved while others are connected to it`, {
          code: 'PGB_SNAPSHOT',
          hint: "Close these connections first, or have them go through the gateway (scope: 'test'). Branches with a server of their own can be saved at any time.",
          cause: error,
        })
      }
    },
    forget: ({ key, database }) => discardOne({ id: key, name: database }),
    fork: (template) =>
      retryWhileDown(async () => {
        const method = await choose(template)
        // Not primed: a connection made here costs more CPU than it saves its holder later (see the benchmark).
        const { id, name } = await create(template, { method, isFork: template.isSnapshot !== true })
        const address = { ...server.address, database: name }
        return { ...address, id, dir: join(filesDir, id), exited: new Promise(() => {}), admin: address }
      }),
    async stop() {
      // Connections end with the database.
    },
    async discard(branches) {
      await Promise.all(branches.map(({ id, database }) => discardOne({ id, name: database })))
    },
  }
}
