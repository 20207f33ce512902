import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { createFrameReader } from './frames.ts'
import {
  GatewayRefusal,
  authentication,
  backend,
  createInt32,
  createMessage,
  frontend,
  readCString,
  sqlState,
} from './messages.ts'
import { createScramServer, scramMechanism, type ScramVerifier } from './scram-server.ts'
import { readChunk } from './startup.ts'

/**
 * Has the client prove that it knows the password, as the server itself would.
 *
 * @param verifier undefined for a role that cannot log in: it is refused at the end, like a wrong password.
 * @returns what the client said beyond, which is nothing with a patient client.
 * @throws GatewayRefusal 28P01.
 */
export async function authenticateClient(
  client: Socket,
  { user, verifier, rest }: { user: string; verifier: ScramVerifier | undefined; rest: Buffer },
): Promise<Buffer> {
  const refusal = () =>
    new GatewayRefusal({ code: '28P01', message: `password authentication failed for user "${user}"` })
  const server = createScramServer(verifier ?? createMockVerifier())
  const read = createPasswordReader(client, rest)
  send(client, authentication.sasl, `${scramMechanism}\0\0`)
  const first = await read()
  const mechanism = readCString(first, 5)
  if (mechanism.text !== scramMechanism) throw refusal()
  const challenge = server.answer(first.toString('utf8', mechanism.next + 4))
  if (challenge === undefined) throw refusal()
  send(client, authentication.saslContinue, challenge)
  const proof = server.verify((await read()).toString('utf8', 5))
  if (proof === undefined || verifier === undefined) throw refusal()
  client.write(
    Buffer.concat([
      createMessage(backend.authentication, createInt32(authentication.saslFinal), proof),
      createMessage(backend.authentication, createInt32(authentication.ok)),
    ]),
  )
  return Buffer.concat(read.rest)
}

function send(client: Socket, request: number, text: string): void {
  client.write(createMessage(backend.authentication, createInt32(request), text))
}

/** Gives one password message after the other; what else has come is in `rest`. */
function createPasswordReader(client: Socket, beginning: Buffer): (() => Promise<Buffer>) & { rest: Buffer[] } {
  const queue: Buffer[] = []
  const rest: Buffer[] = []
  const reader = createFrameReader({
    isWanted: (type) => type === frontend.password,
    onMessage(message) {
      queue.push(message)
      return 'swallow'
    },
  })
  rest.push(...reader.push(beginning))
  const read = async () => {
    for (;;) {
      const next = queue.shift()
      if (next !== undefined) return next
      const chunk = await readChunk(client)
      if (chunk === undefined)
        throw new GatewayRefusal({ code: sqlState.connectionFailure, message: 'the client hung up' })
      rest.push(...reader.push(chunk))
    }
  }
  return Object.assign(read, { rest })
}

/** So that nobody learns by the way they are refused which roles there are. */
function createMockVerifier(): ScramVerifier {
  return {
    iterations: 4096,
    salt: randomBytes(16).toString('base64'),
    storedKey: randomBytes(32),
    serverKey: randomBytes(32),
  }
}
