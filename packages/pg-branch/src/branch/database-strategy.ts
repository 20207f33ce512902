import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UndoStack } from '../lib/undo-stack.ts'
import type { AdvisoryLocks } from '../postgres/advisory-locks.ts'
import { createMarkedName, dropMarked, getLockId } from '../postgres/marked-databases.ts'
import { retryWhileDown, withSession, type SharedServer } from '../postgres/server.ts'
import type { ServerTemplate } from '../template/server-store.ts'
import type { Branch, BranchStrategy } from './contract.ts'
import { chooseCopyMethod, copyDatabase, type CopyMethod } from './copy-method.ts'
import { reapDatabases } from './reap-databases.ts'

/**
 * A database on a server of the user's: isolated in its data; roles and settings are the server's.
 * Each has an advisory lock from before it is made until after it is dropped.
 */
export function createDatabaseStrategy(options: {
  server: SharedServer
  locks: AdvisoryLocks
  /** Where files that belong to a branch are put, e.g. the password of a kept one. */
  filesDir: string
}): BranchStrategy<ServerTemplate> {
  const { server, locks, filesDir } = options
  let chosen: Promise<CopyMethod> | undefined

  const drop = (name: string) => withSession(server, (client) => dropMarked(client, [name]))

  /** Makes a database that is gone again if `action`, or the making, fails. */
  const create = async (
    { template, method }: { template: ServerTemplate; method: CopyMethod },
    action: (made: { id: string; name: string }) => Promise<unknown>,
  ): Promise<void> => {
    const { id, name } = createMarkedName('branch')
    await using undo = new UndoStack()
    await locks.lock('branch', getLockId(id))
    undo.push(() => locks.unlock('branch', getLockId(id)))
    undo.push(() => retryWhileDown(() => drop(name)))
    await withSession(server, (client) => copyDatabase(client, { from: template.database, to: name, method }))
    await action({ id, name })
    undo.commit()
  }

  const discardOne = async (branch: Branch) => {
    await retryWhileDown(() => drop(branch.database))
    await locks.unlock('branch', getLockId(branch.id))
    await rm(branch.dir, { recursive: true, force: true })
  }

  const tryMethod = async (template: ServerTemplate, method: CopyMethod) => {
    await create({ template, method }, async ({ id, name }) => {
      await drop(name)
      await locks.unlock('branch', getLockId(id))
    })
  }

  return {
    name: 'database',
    capabilities: { recycles: false },
    prepare: () => reapDatabases(server, locks),
    fork: (template) =>
      retryWhileDown(async () => {
        chosen ??= chooseCopyMethod(template, { server, trial: (method) => tryMethod(template, method) })
        const method = await chosen
        let branch: Branch | undefined
        await create({ template, method }, async ({ id, name }) => {
          // The first connection is the slow one: it builds the relation cache.
          await (await server.connect(name)).end()
          const dir = join(filesDir, id)
          branch = { ...server.address, id, database: name, dir, exited: new Promise(() => {}) }
        })
        return branch as unknown as Branch
      }),
    async stop() {
      // Connections end with the database.
    },
    async discard(branches) {
      await Promise.all(branches.map((branch) => discardOne(branch)))
    },
  }
}
