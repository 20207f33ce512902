import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { getServerFiles } from '../../lib/server-files.ts'

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
export async function restoreRelationCaches(options: { from: string; to: string; files: string[] }): Promise<void> {
  await getServerFiles().copyFiles(options)
}
