import { chmodSync, chownSync, copyFileSync, existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { getServerIdentity } from '../../lib/server-identity.ts'

const relationCacheName = 'pg_internal.init'

/**
 * A server deletes its relation cache files when it starts and builds them again on the first
 * connection, which takes several milliseconds. The template's own are still right for its clone: the
 * catalogue is the same, byte for byte.
 *
 * @returns the template's files, relative to its data directory.
 */
export async function listRelationCaches(dataDir: string): Promise<string[]> {
  const databases = await readdir(join(dataDir, 'base'))
  const candidates = [`global/${relationCacheName}`, ...databases.map((oid) => `base/${oid}/${relationCacheName}`)]
  return candidates.filter((file) => existsSync(join(dataDir, file)))
}

/** Must happen after the server is ready, which is when it has deleted its own, and before anyone connects. */
export function restoreRelationCaches({ from, to, files }: { from: string; to: string; files: string[] }): void {
  const identity = getServerIdentity()
  for (const file of files) {
    const target = join(to, file)
    copyFileSync(join(from, file), target)
    chmodSync(target, 0o600)
    if (identity !== undefined) chownSync(target, identity.uid, identity.gid)
  }
}
