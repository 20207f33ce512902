import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseAddress } from '../../lib/connection-uri.ts'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import { createRandomHex } from '../../lib/hash.ts'
import { createLog } from '../../lib/log.ts'
import { getServerFiles } from '../../lib/server-files.ts'
import { UndoStack } from '../../lib/undo-stack.ts'
import { connectOwn, withOwnClient } from '../../postgres/client.ts'
import { keepOwn, pauseCluster, pauseProcesses } from '../../postgres/pause.ts'

const log = createLog('branch')

/** By this file a server knows a relation that it empties when it recovers (source: reinit.c of Postgres). */
const initForkPattern = /^\d+_init$/
const hiddenSuffix = '.kept'

/** @returns the files by which a data directory says which of its relations are unlogged. */
export async function listInitForks(dataDir: string): Promise<string[]> {
  const files: string[] = []
  for (const database of await listDatabaseDirs(dataDir)) {
    for (const name of await readdir(database)) if (initForkPattern.test(name)) files.push(join(database, name))
  }
  return files
}

/** @returns the directories of databases, in the usual tablespace and in those within the data directory (`allow_in_place_tablespaces`). */
async function listDatabaseDirs(dataDir: string): Promise<string[]> {
  const spaces = await listDirs(join(dataDir, 'pg_tblspc'))
  const versions = (await Promise.all(spaces.map(listDirs))).flat()
  return (await Promise.all([join(dataDir, 'base'), ...versions].map(listDirs))).flat()
}

/** Links are none. */
async function listDirs(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name))
}

/**
 * Has the next start of a copied data directory keep its unlogged relations as they are, though it recovers.
 *
 * @returns what makes them unlogged again, once the server has been shut down cleanly.
 */
export async function keepThroughRecovery(dataDir: string): Promise<() => Promise<void>> {
  const files = await listInitForks(dataDir)
  await getServerFiles().renameFiles(files.map((file) => ({ from: file, to: `${file}${hiddenSuffix}` })))
  return () => getServerFiles().renameFiles(files.map((file) => ({ from: `${file}${hiddenSuffix}`, to: file })))
}

/** Sessions stopped in the middle of a change may hold what flushing waits for; then they go on a little. */
const attempts = 10
const flushTimeoutMs = 1_000

/** Whoever could write to a table; the others are what makes the server work. */
const sessionsQuery = `SELECT pid FROM pg_catalog.pg_stat_activity
  WHERE pid <> pg_catalog.pg_backend_pid() AND backend_type NOT IN ('archiver', 'background writer', 'checkpointer', 'io worker',
    'logger', 'logical replication launcher', 'autovacuum launcher', 'startup', 'walwriter', 'walsummarizer')`

/**
 * Pauses a server with every page of its unlogged relations on disk: an ordinary checkpoint leaves these out, and
 * there is no WAL of them. All sessions are stopped first, so that none makes a page dirty again.
 *
 * Copying a database as files has Postgres write out everything (CHECKPOINT_FLUSH_ALL in dbcommands.c), and is the
 * only statement in all versions that does. The smallest there is will do.
 *
 * @returns what lets the server go on.
 * @throws PgBranchError `PGB_SNAPSHOT`.
 */
export async function pauseFlushed(postmasterPid: number, admin: DatabaseAddress): Promise<() => Promise<void>> {
  const name = `${flushedPrefix}${createRandomHex(4)}`
  await using undo = new UndoStack()
  const client = await connectOwn(admin)
  undo.push(() => client.end())
  await client.query(`SET statement_timeout = ${flushTimeoutMs}`)
  // SQL of the user's may have changed what the catalogue says.
  const list = async () => {
    const { rows } = await client.query<{ pid: number }>(sessionsQuery)
    return keepOwn(
      rows.map(({ pid }) => pid),
      postmasterPid,
    )
  }
  const dropCopy = async () => {
    await client.query('RESET statement_timeout')
    await client.query(`DROP DATABASE IF EXISTS ${name}`)
  }
  let failure: unknown
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const sessions = await list()
    const wake = await pauseProcesses(sessions)
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy ALLOW_CONNECTIONS false`)
      const isAlone = (await list()).every((pid) => sessions.includes(pid))
      if (!isAlone) throw new Error('somebody connected meanwhile')
      const resume = await pauseCluster(postmasterPid)
      undo.commit()
      return async () => {
        resume()
        await dropCopy()
        await client.end()
      }
    } catch (error) {
      failure = error
      wake()
      log('unlogged tables could not be written out: %s', describeError(failure))
      await dropCopy()
      await client.query(`SET statement_timeout = ${flushTimeoutMs}`)
    }
  }
  throw new PgBranchError(`the branch's unlogged tables could not be saved: ${describeError(failure)}`, {
    code: 'PGB_SNAPSHOT',
    hint: 'Its sessions are too busy: try again when less is going on.',
    cause: failure,
  })
}

/** Names of databases that are there for a moment. */
const flushedPrefix = 'pgb_flushed_'

/** Removes from a copy what `pauseFlushed` has made. */
export async function dropFlushed(admin: DatabaseAddress): Promise<void> {
  await withOwnClient(admin, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE datname ~ '^${flushedPrefix}[0-9a-f]{8}$' AND NOT datallowconn`,
    )
    for (const { datname } of rows) await client.query(`DROP DATABASE ${datname}`)
  })
}
