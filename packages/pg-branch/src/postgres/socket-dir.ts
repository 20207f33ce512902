import { chmodSync, chownSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PgBranchError } from '../lib/errors.ts'
import { makeDirs } from '../lib/make-dirs.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { getSystem } from '../lib/system/get-system.ts'

/** Where a server of ours listens besides TCP: every role is let in there, and only this user can get there. */
export interface SocketDir {
  /** Value of `unix_socket_directories`. */
  setting: string
  /** @returns what clients take for a host, once the server runs. */
  getHost(serverPid: number): string
}

/** What follows the directory in a socket's path. */
const nameBytes = '/.s.PGSQL.65535'.length

/**
 * Makes the directory of a server's socket beside its data directory.
 *
 * @throws PgBranchError `PGB_HOME_UNUSABLE` if the path is too long for one and there is no way around.
 */
export function makeSocketDir(dataDir: string): SocketDir {
  const parent = dirname(dataDir)
  const dir = join(parent, 'socket')
  const identity = getServerIdentity()
  makeDirs(dir, 0o700)
  chmodSync(dir, 0o700)
  if (identity !== undefined) chownSync(dir, identity.uid, identity.gid)
  const { maxSocketPathBytes, getWorkingDirectoryLink } = getSystem()
  const maxBytes = maxSocketPathBytes - nameBytes
  if (Buffer.byteLength(dir) <= maxBytes) return { setting: dir, getHost: () => dir }
  // A server works in its data directory.
  if (getWorkingDirectoryLink(process.pid) !== undefined) {
    return { setting: '../socket', getHost: (pid) => `${getWorkingDirectoryLink(pid)}/../socket` }
  }
  if (identity === undefined && Buffer.byteLength(parent) <= maxBytes) {
    return { setting: parent, getHost: () => parent }
  }
  throw new PgBranchError(`${parent} is too long for the path of a socket`, {
    code: 'PGB_HOME_UNUSABLE',
    hint: 'Set PG_BRANCH_HOME to a shorter path.',
  })
}
