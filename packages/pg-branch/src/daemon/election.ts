import { statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { getErrorCode } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { findSocketPath, makeSocketPath } from '../lib/socket-path.ts'

const log = createLog('supervisor')

/** What a bound socket looks like on disk; undefined for a named pipe or when it is gone. */
function identifySocket(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`
}

export interface Election {
  server: Server
  socketPath: string
  /** False once the socket at the path is no longer ours: the directory was removed, or somebody took over. */
  isStillElected(): boolean
}

/**
 * Becomes the one supervisor of a state directory by binding its socket.
 *
 * A socket that nobody listens on is left over from a killed supervisor. It is moved away before it
 * is deleted, so that of two successors one cannot delete the other's fresh socket by its name; what
 * little race is left ends with `isStillElected` false in one of them.
 *
 * @returns undefined if another supervisor is there.
 */
export async function winElection(stateDir: string): Promise<Election | undefined> {
  const socketPath = makeSocketPath(stateDir)
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const server = await tryListen(socketPath)
    if (server !== undefined) {
      const identity = identifySocket(socketPath)
      const isStillElected = () => isListenedTo(stateDir, socketPath) && identifySocket(socketPath) === identity
      return { server, socketPath, isStillElected }
    }
    if (await isAnswering(socketPath)) return undefined
    const stale = `${socketPath}.${createRandomHex(4)}`
    await rename(socketPath, stale).catch(() => {})
    await rm(stale, { force: true })
  }
  return undefined
}

/** Whether clients look for their supervisor there: of two that started at once, one may have chosen another place. */
function isListenedTo(stateDir: string, socketPath: string): boolean {
  try {
    return findSocketPath(stateDir) === socketPath
  } catch {
    return false
  }
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => (getErrorCode(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(path, () => {
      // Without descriptors a client cannot be accepted: that one hears nobody, and the others go on.
      server
        .removeAllListeners('error')
        .on('error', (error) => log('a client could not be accepted: %s', error.message))
      resolve(server)
    })
  })
}

/** @returns whether somebody accepts connections at `path`. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
