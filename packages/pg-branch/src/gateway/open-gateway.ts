import { createServer } from 'node:net'
import { loopbackHost } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { createScramVerifier } from '../postgres/password.ts'
import { Gateway, type GatewayOptions } from './gateway.ts'
import { parseVerifier, type ScramVerifier } from './scram-server.ts'

const log = createLog('gateway')

/**
 * Listens on a free loopback port.
 *
 * @throws PgBranchError `PGB_PORT`.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const password = createRandomHex(16)
  const verifier = parseVerifier(createScramVerifier(password)) as ScramVerifier
  // A client that has sent its last word still reads the answer.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'The system has no free port for it, or forbids to listen.'
      reject(new PgBranchError(`the gateway cannot listen: ${error.message}`, { code: 'PGB_PORT', hint, cause: error }))
    })
    server.listen(0, loopbackHost, () => {
      server.on('error', (error) => log('a client could not be accepted: %O', error))
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0)
    })
  })
  const { user, database } = options.target.address
  const address = { host: loopbackHost, port, user, password, database }
  return new Gateway({ ...options, server, address, verifier })
}
