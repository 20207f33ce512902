import { createConnection, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import pg from 'pg'
import sasl from 'pg/lib/crypto/sasl.js'
import md5 from 'pg/lib/crypto/utils.js'
import { formatUrl, type DatabaseAddress } from '../lib/connection-uri.ts'
import { createFrameReader } from './frames.ts'
import {
  GatewayRefusal,
  authentication,
  backend,
  createInt32,
  createMessage,
  frontend,
  readCStrings,
  readErrorResponse,
  sqlState,
} from './messages.ts'
import { scramMechanism } from './scram-server.ts'
import { createCancel, createSslRequest, createStartup, readChunk } from './startup.ts'

/** Where the connections of a gateway go. */
export interface GatewayTarget {
  address: DatabaseAddress
  /** Directory of a socket at which every role is let in; only this user can enter it. */
  socketDir?: string | undefined
}

/** A connection to a server that has let us in and waits for the first query. */
export interface Upstream {
  readonly socket: Socket
  /** What the server said after it let us in, message by message: parameters, key, notices, ready. */
  readonly greeting: Buffer[]
  /** Settings that it reports, by name. */
  readonly parameters: Map<string, string>
  /** Process id and secret, as a cancel request carries them. */
  readonly key: Buffer
}

const connectTimeoutMs = 15_000

/**
 * Logs in as a client would, with that client's own parameters.
 *
 * @throws GatewayRefusal with what the server said, 08006 if it hung up.
 */
export async function openUpstream(target: GatewayTarget, parameters: Map<string, string>): Promise<Upstream> {
  const socket = await openSocket(target)
  const messages = readMessages(socket)
  try {
    const user = parameters.get('user') ?? target.address.user
    socket.write(createStartup(parameters))
    await logIn(socket, { messages, user, password: target.address.password })
    return { socket, ...(await readGreeting(messages)) }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Asks a server to cancel what the connection with this key is doing, and does not wait for it. */
export async function sendCancel(target: GatewayTarget, key: Buffer): Promise<void> {
  const socket = await openSocket(target)
  socket.end(createCancel(key))
}

async function openSocket({ address, socketDir }: GatewayTarget): Promise<Socket> {
  const socket =
    socketDir === undefined
      ? createConnection({ host: address.host, port: address.port, noDelay: true })
      : createConnection({ path: `${socketDir}/.s.PGSQL.${address.port}` })
  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string) => {
      socket.destroy()
      reject(
        new GatewayRefusal({
          code: sqlState.connectionFailure,
          message: `the branch's server cannot be reached: ${reason}`,
        }),
      )
    }
    const timer = setTimeout(() => fail('no answer in time'), connectTimeoutMs)
    socket.once('error', (error) => fail(error.message))
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve()
    })
  })
  const secure = socketDir === undefined ? getTlsOptions(address) : undefined
  const opened = secure === undefined ? socket : await secureSocket(socket, secure)
  // Whoever uses it listens for its end.
  opened.on('error', () => {})
  return opened
}

/** What `sslmode` and its like in a URL mean, as node-postgres reads them. */
function getTlsOptions(address: DatabaseAddress): ConnectionOptions | undefined {
  if ((address.parameters ?? '') === '') return undefined
  const { ssl } = new pg.Client({ connectionString: formatUrl(address) }) as unknown as {
    ssl: boolean | ConnectionOptions
  }
  if (ssl === false) return undefined
  return { servername: address.host, ...(ssl === true ? {} : ssl) }
}

async function secureSocket(socket: Socket, options: ConnectionOptions): Promise<Socket> {
  socket.write(createSslRequest())
  const answer = await readChunk(socket)
  if (answer?.toString() !== 'S') {
    socket.destroy()
    throw new GatewayRefusal({
      code: sqlState.connectionFailure,
      message: 'the server does not speak TLS, which its URL asks for',
    })
  }
  return new Promise((resolve, reject) => {
    const secure = connectTls({ ...options, socket }, () => resolve(secure))
    secure.once('error', reject)
  })
}

type Messages = AsyncGenerator<Buffer, never>

/** Every message of the server, one after the other. Errors and the end are thrown. */
async function* readMessages(socket: Socket): Messages {
  const queue: Buffer[] = []
  const reader = createFrameReader({
    isWanted: () => true,
    onMessage(message) {
      queue.push(message)
      return 'swallow'
    },
  })
  for (;;) {
    const next = queue.shift()
    if (next === undefined) {
      const chunk = await readChunk(socket)
      if (chunk === undefined) {
        throw new GatewayRefusal({ code: sqlState.connectionFailure, message: "the branch's server hung up" })
      }
      reader.push(chunk)
    } else if (next[0] === backend.errorResponse) {
      throw new GatewayRefusal(readErrorResponse(next), Buffer.from(next))
    } else {
      yield next
    }
  }
}

async function logIn(
  socket: Socket,
  { messages, user, password }: { messages: Messages; user: string; password: string },
): Promise<void> {
  const session = sasl.startSession([scramMechanism])
  const send = (...parts: Array<Buffer | string>) => socket.write(createMessage(frontend.password, ...parts))
  for (;;) {
    const { value: message } = await messages.next()
    const code = message[0] === backend.authentication ? message.readInt32BE(5) : undefined
    if (code === authentication.ok) return
    if (code === authentication.cleartext) send(`${password}\0`)
    else if (code === authentication.md5)
      send(`${await md5.postgresMd5PasswordHash(user, password, message.subarray(9, 13))}\0`)
    else if (code === authentication.sasl && readCStrings(message, 9).includes(scramMechanism)) {
      const first = Buffer.from(session.response)
      send(`${scramMechanism}\0`, createInt32(first.length), first)
    } else if (code === authentication.saslContinue) {
      await sasl.continueSession(session, password, message.toString('utf8', 9))
      send(session.response)
    } else if (code === authentication.saslFinal) sasl.finalizeSession(session, message.toString('utf8', 9))
    else {
      throw new GatewayRefusal({ code: '28000', message: 'the server asks for a way to log in that is not supported' })
    }
  }
}

async function readGreeting(messages: Messages): Promise<Omit<Upstream, 'socket'>> {
  const greeting: Buffer[] = []
  const parameters = new Map<string, string>()
  let key = Buffer.alloc(0)
  for (;;) {
    const { value: message } = await messages.next()
    greeting.push(message)
    if (message[0] === backend.readyForQuery) return { greeting, parameters, key }
    if (message[0] === backend.backendKeyData) key = Buffer.from(message.subarray(5))
    if (message[0] === backend.parameterStatus) {
      const [name = '', value = ''] = readCStrings(message, 5)
      parameters.set(name, value)
    }
  }
}
