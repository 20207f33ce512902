import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { escapeIdentifier } from 'pg'
import { loopbackHost, type DatabaseAddress } from '../lib/connection-uri.ts'
import { createRandomHex } from '../lib/hash.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { superuser } from '../lib/superuser.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import { connect } from '../postgres/client.ts'
import { startCluster, type Cluster } from '../postgres/cluster.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { createScramVerifier } from '../postgres/password.ts'
import { readSignature } from '../template/inputs.ts'
import { dataName } from '../template/manifest.ts'
import type { VolumeDriver } from '../volume/contract.ts'
import { saveCluster, type ClusterSource } from './cluster-snapshot.ts'
import type { Branch, BranchStrategy } from './contract.ts'
import { createControl, type Control } from './control.ts'
import { runOnFork } from './on-fork.ts'
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
  /** Whether branches that are made now are to keep a connection of ours open. */
  keepsControl?: () => boolean
}): BranchStrategy<ClusterSource> {
  const { driver, binaries, branchesDir, onFork, keepsControl = () => false } = options
  const caches = new Map<string, string[]>()

  const prepare = async (source: ClusterSource) => {
    await source.sealing
    if (!caches.has(source.key)) caches.set(source.key, await listRelationCaches(source.dataDir))
  }

  const fork = async (source: ClusterSource, recycle?: Branch): Promise<Branch> => {
    await prepare(source)
    const id = createRandomHex(4)
    await using undo = new UndoStack()
    const dir = recycle?.dir ?? join(branchesDir, id)
    undo.push(() => removeDirs([dir], driver))
    if (recycle === undefined) mkdirSync(dir, { mode: 0o711 })
    else await (recycle as ClusterBranch).cluster.stop('discard')
    const dataDir = join(dir, dataName)
    await driver.clone({ from: source.dataDir, to: dataDir })
    const socketDir = makeSocketDir(dir)
    const settings = { unix_socket_directories: socketDir ?? '' }
    const cluster = await startCluster({ binaries, dataDir, settings, logFile: join(dir, serverLogName) })
    undo.push(() => cluster.stop('discard'))
    restoreRelationCaches({ from: source.dataDir, to: dataDir, files: caches.get(source.key) ?? [] })
    const { user, database } = source
    const password = createRandomHex(16)
    const address = { host: loopbackHost, port: cluster.port, user, password, database }
    const admin = user === superuser ? address : { ...address, user: superuser, password: createRandomHex(16) }
    const { lsn, control } = await prime({
      source,
      address,
      admin,
      onFork: source.isSnapshot === true ? undefined : onFork,
      keepsControl: keepsControl(),
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
      socketDir,
      control,
      baseline: { lsn, areSettingsUntouched: () => readSignature(settingsFile) === settingsAtStart },
      cluster,
    }
    return branch
  }

  return {
    name: 'cluster',
    capabilities: { recycles: driver.capabilities.rewind, liveSnapshots: true, varies: onFork !== undefined },
    prepare,
    fork,
    async snapshot(branch) {
      const { cluster, admin, control, user, database } = branch as ClusterBranch
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
    stop: (branch) => (branch as ClusterBranch).cluster.stop('discard'),
    async discard(branches) {
      await Promise.all(branches.map((branch) => (branch as ClusterBranch).cluster.stop('discard')))
      await removeDirs(
        branches.map(({ dir }) => dir),
        driver,
      )
    },
  }
}

/**
 * Gives the branch passwords of its own, and makes the first connection, which is the slow one.
 *
 * @returns how far the WAL has been written, and the connection if it is kept.
 */
async function prime(options: {
  source: ClusterSource
  address: DatabaseAddress
  admin: DatabaseAddress
  onFork: string | undefined
  keepsControl: boolean
}): Promise<{ lsn: string; control: Control | undefined }> {
  const { source, address, admin, onFork, keepsControl } = options
  const client = await connect({ ...admin, password: source.password })
  await using undo = new UndoStack()
  undo.push(() => client.end())
  const passwords = new Map([admin, address].map(({ user, password }) => [user, password]))
  // Postgres keeps a verifier as it is given: the password itself never reaches the server's log.
  const statements = [...passwords].map(
    ([role, value]) => `ALTER ROLE ${escapeIdentifier(role)} PASSWORD '${createScramVerifier(value)}'`,
  )
  await client.query(statements.join(';'))
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

/** Linux allows 107 bytes in a unix socket's path, macOS 103 (sys/un.h); the file's own name takes up to 20. */
const maxSocketDirBytes = 83

/** @returns a directory that only the server's user can enter; undefined if its path is too long for a socket. */
function makeSocketDir(dir: string): string | undefined {
  const socketDir = join(dir, 'socket')
  if (Buffer.byteLength(socketDir) > maxSocketDirBytes) return undefined
  const identity = getServerIdentity()
  mkdirSync(socketDir, { mode: 0o700, recursive: true })
  if (identity !== undefined) chownSync(socketDir, identity.uid, identity.gid)
  return socketDir
}

async function removeDirs(dirs: string[], driver: VolumeDriver): Promise<void> {
  await driver.remove(dirs.map((dir) => join(dir, dataName)).filter((path) => existsSync(path)))
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })))
}
