import { statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { getErrorCode } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'

/** What a bound socket looks like on disk; undefined for a named pipe or when it is gone. */
function identifySocket(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`
}

export interface Election {
  server: Server
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
export async function winElection(socketPath: string): Promise<Election | undefined> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const server = await tryListen(socketPath)
    if (server !== undefined) {
      const identity = identifySocket(socketPath)
      return { server, isStillElected: () => identifySocket(socketPath) === identity }
    }
    if (await isAnswering(socketPath)) return undefined
    const stale = `${socketPath}.${createRandomHex(4)}`
    await rename(socketPath, stale).catch(() => {})
    await rm(stale, { force: true })
  }
  return undefined
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => (getErrorCode(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(path, () => {
      server.removeAllListeners('error')
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
