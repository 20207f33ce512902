import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { PgBranchError } from './errors.ts'
import { getServerIdentity } from './server-identity.ts'

/** Nobody waits for a pipe, and no link is followed. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Opens a file below a data directory to be read. Root opens only what the server itself could have: the server's
 * user may have put a link in the way to a file that is none of its.
 *
 * @throws PgBranchError `PGB_VOLUME` for a file of somebody else.
 */
export async function openServerFile(path: string): Promise<FileHandle> {
  const file = await open(path, flags)
  if (isServers(await file.stat())) return file
  await file.close()
  throw new PgBranchError(`${path} is not a file of the server's`, { code: 'PGB_VOLUME' })
}

/** @returns the first bytes of a file of the server's, '' if there is none, or what is there is something else. */
export function readServerFile(path: string, { maxBytes }: { maxBytes: number }): string {
  let fd: number | undefined
  try {
    fd = openSync(path, flags)
    if (!isServers(fstatSync(fd))) return ''
    const bytes = Buffer.alloc(maxBytes)
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, maxBytes, 0))
  } catch {
    return ''
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function isServers(stat: Stats): boolean {
  const identity = getServerIdentity()
  return stat.isFile() && (identity === undefined || stat.uid === identity.uid)
}
