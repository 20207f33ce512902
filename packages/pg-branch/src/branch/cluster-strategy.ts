import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeIdentifier } from 'pg'
import { loopbackHost } from '../lib/connection-uri.ts'
import { createRandomHex } from '../lib/hash.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { superuser } from '../lib/superuser.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import { connect } from '../postgres/client.ts'
import { startCluster, type Cluster } from '../postgres/cluster.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { createScramVerifier } from '../postgres/password.ts'
import { dataName } from '../template/manifest.ts'
import type { Template } from '../template/store.ts'
import type { VolumeDriver } from '../volume/contract.ts'
import type { Branch, BranchStrategy } from './contract.ts'
import { runOnFork } from './on-fork.ts'

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
}): BranchStrategy<Template> {
  const { driver, binaries, branchesDir, onFork } = options
  const caches = new Map<string, string[]>()

  const prepare = async (template: Template) => {
    if (!caches.has(template.key)) caches.set(template.key, await listRelationCaches(template.dataDir))
  }

  const fork = async (template: Template, recycle?: Branch): Promise<Branch> => {
    await prepare(template)
    const id = createRandomHex(4)
    await using undo = new UndoStack()
    const dir = recycle?.dir ?? join(branchesDir, id)
    undo.push(() => removeDirs([dir], driver))
    if (recycle === undefined) mkdirSync(dir, { mode: 0o711 })
    else await (recycle as ClusterBranch).cluster.stop('discard')
    const dataDir = join(dir, dataName)
    await driver.clone({ from: template.dataDir, to: dataDir })
    const cluster = await startCluster({ binaries, dataDir, logFile: join(dir, serverLogName) })
    undo.push(() => cluster.stop('discard'))
    restoreRelationCaches({ from: template.dataDir, to: dataDir, files: caches.get(template.key) ?? [] })
    const password = createRandomHex(16)
    const { database } = template
    await prime({ port: cluster.port, template, password, onFork })
    undo.commit()
    const branch: ClusterBranch = {
      id,
      host: loopbackHost,
      port: cluster.port,
      user: template.user,
      password,
      database,
      dir,
      exited: cluster.exited,
      cluster,
    }
    return branch
  }

  return {
    name: 'cluster',
    capabilities: { recycles: driver.capabilities.rewind },
    prepare,
    fork,
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
 * Gives the branch its own password, and makes the first connection, which is the slow one. Where its
 * user is not the superuser, that one gets another, which nobody knows.
 */
async function prime(options: {
  port: number
  template: Template
  password: string
  onFork: string | undefined
}): Promise<void> {
  const { port, template, password, onFork } = options
  const { database } = template
  const client = await connect({ host: loopbackHost, port, user: superuser, password: template.password, database })
  try {
    const passwords = new Map([[superuser, createRandomHex(16)]]).set(template.user, password)
    // Postgres keeps a verifier as it is given: the password itself never reaches the server's log.
    const statements = [...passwords].map(
      ([role, value]) => `ALTER ROLE ${escapeIdentifier(role)} PASSWORD '${createScramVerifier(value)}'`,
    )
    await client.query(statements.join(';'))
    if (onFork !== undefined) await runOnFork(client, onFork)
  } finally {
    await client.end()
  }
}

async function removeDirs(dirs: string[], driver: VolumeDriver): Promise<void> {
  await driver.remove(dirs.map((dir) => join(dir, dataName)).filter((path) => existsSync(path)))
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })))
}

const relationCacheName = 'pg_internal.init'

/**
 * A server deletes its relation cache files when it starts and builds them again on the first
 * connection, which takes several milliseconds. The template's own are still right for its clone: the
 * catalogue is the same, byte for byte.
 *
 * @returns the template's files, relative to its data directory.
 */
async function listRelationCaches(dataDir: string): Promise<string[]> {
  const databases = await readdir(join(dataDir, 'base'))
  const candidates = [`global/${relationCacheName}`, ...databases.map((oid) => `base/${oid}/${relationCacheName}`)]
  return candidates.filter((file) => existsSync(join(dataDir, file)))
}

/** Must happen after the server is ready, which is when it has deleted its own, and before anyone connects. */
function restoreRelationCaches({ from, to, files }: { from: string; to: string; files: string[] }): void {
  const identity = getServerIdentity()
  for (const file of files) {
    const target = join(to, file)
    copyFileSync(join(from, file), target)
    chmodSync(target, 0o600)
    if (identity !== undefined) chownSync(target, identity.uid, identity.gid)
  }
}
