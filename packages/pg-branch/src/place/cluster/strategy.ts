import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { escapeIdentifier } from 'pg'
import type { Branch, BranchStrategy, ForkOptions } from '../../branch/contract.ts'
import { createControl, type Control } from '../../branch/control.ts'
import { runOnFork } from '../../branch/on-fork.ts'
import { loopbackHost, type DatabaseAddress } from '../../lib/connection-uri.ts'
import { createRandomHex } from '../../lib/hash.ts'
import { readSignature } from '../../lib/inputs.ts'
import { makeServerDir } from '../../lib/own-dirs.ts'
import { removeTrees } from '../../lib/remove-tree.ts'
import { superuser } from '../../lib/superuser.ts'
import { UndoStack } from '../../lib/undo-stack.ts'
import { connectOwn } from '../../postgres/client.ts'
import { startCluster, type Cluster } from '../../postgres/cluster.ts'
import type { PostgresBinaries } from '../../postgres/contract.ts'
import { createScramVerifier } from '../../postgres/password.ts'
import { dataName } from '../../template/manifest.ts'
import type { VolumeDriver } from '../../volume/contract.ts'
import { saveCluster, type ClusterSource } from './live-snapshot.ts'
import { listRelationCaches, restoreRelationCaches } from './relation-cache.ts'

interface ClusterBranch extends Branch {
  cluster: Cluster
}

const serverLogName = 'server.log'

/** A volume clone with a postmaster of its own: isolated in everything, roles and settings included. */
export function createClusterStrategy(options: {
  driver: VolumeDriver
  binaries: PostgresBinaries
  /** Directory of this supervisor's branches for templates of one size class. */
  branchesDir: string
  /** SQL that every branch runs when it is made. */
  onFork?: string | undefined
}): BranchStrategy<ClusterSource, ClusterBranch> {
  const { driver, binaries, branchesDir, onFork } = options
  const caches = new Map<string, string[]>()

  const prepare = async (source: ClusterSource) => {
    await source.sealing
    if (!caches.has(source.key)) caches.set(source.key, await listRelationCaches(source.dataDir))
  }

  const fork = async (
    source: ClusterSource,
    { recycle, keepsControl }: ForkOptions<ClusterBranch>,
  ): Promise<ClusterBranch> => {
    await prepare(source)
    const id = createRandomHex(4)
    await using undo = new UndoStack()
    const dir = recycle?.dir ?? join(branchesDir, id)
    undo.push(() => removeDirs([dir], driver))
    if (recycle === undefined) makeServerDir(dir)
    else await recycle.cluster.stop('discard')
    const dataDir = join(dir, dataName)
    await driver.clone({ from: source.dataDir, to: dataDir })
    const cluster = await startCluster({ binaries, dataDir, logFile: join(dir, serverLogName) })
    undo.push(() => cluster.stop('discard'))
    await restoreRelationCaches({ from: source.dataDir, to: dataDir, files: caches.get(source.key) ?? [] })
    const { user, database } = source
    const password = createRandomHex(16)
    const address = { host: loopbackHost, port: cluster.port, user, password, database }
    const admin = { host: cluster.socketHost, port: cluster.port, user: superuser, password: '', database }
    const { lsn, control } = await prime({
      address,
      admin,
      onFork: source.isSnapshot === true ? undefined : onFork,
      keepsControl,
    })
    const settingsFile = join(dataDir, 'postgresql.auto.conf')
    const settingsAtStart = readSignature(settingsFile)
    undo.commit()
    const branch: ClusterBranch = {
      ...address,
      id,
      dir,
      exited: cluster.exited,
      admin,
      socketDir: cluster.socketHost,
      control,
      baseline: { lsn, areSettingsUntouched: () => readSignature(settingsFile) === settingsAtStart },
      cluster,
    }
    return branch
  }

  return {
    name: 'cluster',
    capabilities: { recycles: driver.capabilities.rewind, liveSnapshots: true, varies: onFork !== undefined },
    fork,
    async snapshot(branch) {
      const { cluster, admin, control, user, database } = branch
      const key = createRandomHex(4)
      const dir = join(branchesDir, key)
      return saveCluster({
        driver,
        binaries,
        cluster,
        admin,
        control,
        user,
        database,
        key,
        dir,
        dataDir: join(dir, dataName),
      })
    },
    async forget(snapshot) {
      caches.delete(snapshot.key)
      await snapshot.sealing?.catch(() => {})
      await removeDirs([dirname(snapshot.dataDir)], driver)
    },
    stop: ({ cluster }) => cluster.stop('discard'),
    async discard(branches) {
      await Promise.all(branches.map(({ cluster }) => cluster.stop('discard')))
      await removeDirs(
        branches.map(({ dir }) => dir),
        driver,
      )
    },
  }
}

/**
 * Gives the branch a password of its own, until when nobody is let in by TCP, and makes the first connection,
 * which is the slow one.
 *
 * @returns how far the WAL has been written, and the connection if it is kept.
 */
async function prime(options: {
  address: DatabaseAddress
  admin: DatabaseAddress
  onFork: string | undefined
  keepsControl: boolean
}): Promise<{ lsn: string; control: Control | undefined }> {
  const { address, admin, onFork, keepsControl } = options
  const client = await connectOwn(admin)
  await using undo = new UndoStack()
  undo.push(() => client.end())
  // Postgres keeps a verifier as it is given: the password itself never reaches the server's log.
  const verifier = createScramVerifier(address.password)
  await client.query(`ALTER ROLE ${escapeIdentifier(address.user)} PASSWORD '${verifier}'`)
  if (onFork !== undefined) {
    await runOnFork(client, onFork)
    // A sequence that it used has its next numbers in the WAL ahead: without this, taking them leaves no trace.
    if (keepsControl) await client.query('CHECKPOINT')
  }
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn')
  const lsn = rows[0]?.lsn ?? ''
  if (!keepsControl) return { lsn, control: undefined }
  const control = createControl(client)
  // The first time takes long; the next is when somebody waits.
  await control.readState()
  undo.commit()
  return { lsn, control }
}

async function removeDirs(dirs: string[], driver: VolumeDriver): Promise<void> {
  await driver.remove(dirs.map((dir) => join(dir, dataName)).filter((path) => existsSync(path)))
  await removeTrees(dirs)
}
