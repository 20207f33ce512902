import { join } from 'node:path'
import type { BranchSource } from '../../branch/contract.ts'
import type { Control } from '../../branch/control.ts'
import type { DatabaseAddress } from '../../lib/connection-uri.ts'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import { createLog } from '../../lib/log.ts'
import { makeServerDir } from '../../lib/own-dirs.ts'
import { removeTrees } from '../../lib/remove-tree.ts'
import { getServerFiles } from '../../lib/server-files.ts'
import { UndoStack } from '../../lib/undo-stack.ts'
import { withOwnClient } from '../../postgres/client.ts'
import { startCluster, type Cluster } from '../../postgres/cluster.ts'
import type { PostgresBinaries } from '../../postgres/contract.ts'
import { pauseCluster } from '../../postgres/pause.ts'
import type { VolumeDriver } from '../../volume/contract.ts'
import { dropFlushed, keepThroughRecovery, listInitForks, pauseFlushed } from './unlogged-relations.ts'

const log = createLog('branch')

/** A template, or a snapshot. */
export interface ClusterSource extends BranchSource {
  dataDir: string
  /** The role that URLs log in as. */
  user: string
  /** Set while a snapshot is still being made ready to be forked from. */
  sealing?: Promise<void> | undefined
}

/**
 * Saves the state of a running cluster, whoever writes to it.
 *
 * A checkpoint first brings to disk all that is committed, which without `synchronous_commit` may be
 * nowhere yet; then every process is paused for the moment of the clone, since without `fsync` the files
 * are one point in time only while they stand still. What comes out is a cluster that crashed at that
 * point, with its unlogged tables, which have no WAL, as they were. `sealing` of the result is the rest, off the path of whoever waits: it recovers once, lets a
 * first connection in, and is shut down cleanly, so that forks of it start at once.
 *
 * @throws PgBranchError `PGB_SNAPSHOT`, also from `sealing`.
 */
export async function saveCluster(options: {
  driver: VolumeDriver
  binaries: PostgresBinaries
  cluster: Cluster
  admin: DatabaseAddress
  /** A connection that is open already. */
  control: Pick<Control, 'query'> | undefined
  user: string
  database: string
  key: string
  /** Is made, and is the snapshot's own. */
  dir: string
  dataDir: string
}): Promise<ClusterSource> {
  const { driver, cluster, admin, control, user, database, key, dir, dataDir } = options
  await using undo = new UndoStack()
  makeServerDir(dir)
  undo.push(() => removeTrees([dir]))
  const hasUnlogged = (await listInitForks(cluster.dataDir)).length > 0
  if (control === undefined) await withOwnClient(admin, (client) => client.query('CHECKPOINT'))
  else await control.query('CHECKPOINT')
  const startedAt = performance.now()
  const resume = hasUnlogged ? await pauseFlushed(cluster.pid, admin) : await pauseCluster(cluster.pid)
  try {
    await driver.clone({ from: cluster.dataDir, to: dataDir, isLive: true })
  } finally {
    resume()
  }
  log('snapshot %s: its branch stood still for %d ms', key, Math.round(performance.now() - startedAt))
  undo.commit()
  const sealing = seal({ ...options, hasUnlogged }).catch((error: unknown) => {
    throw new PgBranchError(`the snapshot ${key} could not be recovered: ${describeError(error)}`, {
      code: 'PGB_SNAPSHOT',
      hint: 'The branch that it was taken of is as it was.',
      cause: error,
    })
  })
  // Whoever forks from it hears of a failure.
  sealing.catch(() => {})
  return { key, dataDir, user, database, isSnapshot: true, sealing }
}

async function seal(options: {
  binaries: PostgresBinaries
  admin: DatabaseAddress
  dir: string
  dataDir: string
  hasUnlogged: boolean
}): Promise<void> {
  const { binaries, admin, dir, dataDir, hasUnlogged } = options
  // It says that the original is running, which no other server would start beside.
  await getServerFiles().removeFiles([join(dataDir, 'postmaster.pid')])
  const markUnlogged = hasUnlogged ? await keepThroughRecovery(dataDir) : undefined
  const cluster = await startCluster({ binaries, dataDir, logFile: join(dir, 'server.log') })
  try {
    const own = { ...admin, host: cluster.socketHost, port: cluster.port }
    await withOwnClient(own, (client) => client.query('SELECT'))
    if (hasUnlogged) await dropFlushed(own)
  } finally {
    await cluster.stop('clean')
  }
  await markUnlogged?.()
}
