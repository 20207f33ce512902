import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { PgBranchError } from './errors.ts'
import { getServerIdentity } from './server-identity.ts'

/**
 * Opens a file below a data directory to be read. Root opens only what the server itself could have: the server's
 * user may have put a link in the way to a file that is none of its.
 *
 * @throws PgBranchError `PGB_VOLUME` for a file of somebody else.
 */
export async function openServerFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const identity = getServerIdentity()
  const stat = await file.stat()
  if (stat.isFile() && (identity === undefined || stat.uid === identity.uid)) return file
  await file.close()
  throw new PgBranchError(`${path} is not a file of the server's`, { code: 'PGB_VOLUME' })
}
