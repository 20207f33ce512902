import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog } from '../lib/log.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import type { AdvisoryLocks } from '../postgres/advisory-locks.ts'
import { withClient } from '../postgres/client.ts'
import { createMarkedName, dropMarked, getLockId, type MarkedName } from '../postgres/marked-databases.ts'
import { retryWhileDown, withSession, type SharedServer } from '../postgres/server.ts'
import type { ServerTemplate } from '../template/server-store.ts'
import type { BranchStrategy } from './contract.ts'
import { chooseCopyMethod, copyDatabase, type CopyMethod } from './copy-method.ts'
import { runOnFork } from './on-fork.ts'
import { reapDatabases } from './reap-databases.ts'

const log = createLog('branch')

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
}): BranchStrategy<ServerTemplate> {
  const { server, locks, filesDir, onFork } = options
  let chosen: Promise<CopyMethod> | undefined

  const drop = (name: string) => withSession(server, (client) => dropMarked(client, [name]))

  const runInside = (database: string, text: string) =>
    withClient({ ...server.address, database }, (client) => runOnFork(client, text))

  /** Makes a database, or nothing. */
  const create = async (template: ServerTemplate, method: CopyMethod): Promise<MarkedName> => {
    const marked = createMarkedName('branch')
    await using undo = new UndoStack()
    await locks.lock('branch', getLockId(marked.id))
    undo.push(() => locks.unlock('branch', getLockId(marked.id)))
    undo.push(() => retryWhileDown(() => drop(marked.name)))
    await withSession(server, (client) => copyDatabase(client, { from: template.database, to: marked.name, method }))
    if (onFork !== undefined) await runInside(marked.name, onFork)
    undo.commit()
    return marked
  }

  const discardOne = async ({ id, name }: Pick<MarkedName, 'id' | 'name'>) => {
    await retryWhileDown(() => drop(name))
    await locks.unlock('branch', getLockId(id))
    await rm(join(filesDir, id), { recursive: true, force: true })
  }

  const trial = async (template: ServerTemplate, method: CopyMethod) => discardOne(await create(template, method))

  return {
    name: 'database',
    capabilities: { recycles: false },
    async prepare() {
      // Another reaper may be at the same databases; whatever goes wrong is nobody's test's fault.
      await reapDatabases(server, locks).catch((error: unknown) => log('reaping failed: %O', error))
    },
    fork: (template) =>
      retryWhileDown(async () => {
        chosen ??= chooseCopyMethod(template, { server, trial: (method) => trial(template, method) })
        // Not primed: a connection made here costs more CPU than it saves its holder later (see the benchmark).
        const { id, name } = await create(template, await chosen)
        return { ...server.address, id, database: name, dir: join(filesDir, id), exited: new Promise(() => {}) }
      }),
    async stop() {
      // Connections end with the database.
    },
    async discard(branches) {
      await Promise.all(branches.map(({ id, database }) => discardOne({ id, name: database })))
    },
  }
}
