import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
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

/** As Postgres has it (PG_MAX_AUTH_TOKEN_LENGTH in libpq/auth.h). */
const maxAnswerBytes = 65_535

/**
 * Has the client prove that it knows the password, as the server itself would.
 *
 * @param verifier undefined for a role without a password that can be used: it is refused at the end, like a wrong
 * password.
 * @returns what the client said beyond, which is nothing with a patient client.
 * @throws GatewayRefusal 28P01, 08P01.
 */
export async function authenticateClient(
  client: Socket,
  { user, verifier, rest }: { user: string; verifier: ScramVerifier | undefined; rest: Buffer },
): Promise<Buffer> {
  const refusal = () =>
    new GatewayRefusal({ code: '28P01', message: `password authentication failed for user "${user}"` })
  const server = createScramServer(verifier ?? createMockVerifier(user))
  const answers = createAnswerReader(client, rest)
  send(client, authentication.sasl, `${scramMechanism}\0\0`)
  const first = await answers.read()
  const mechanism = readCString(first, 5)
  if (mechanism.text !== scramMechanism) throw refusal()
  const challenge = server.answer(first.toString('utf8', mechanism.next + 4))
  if (challenge === undefined) throw refusal()
  send(client, authentication.saslContinue, challenge)
  const proof = server.verify((await answers.read()).toString('utf8', 5))
  if (proof === undefined || verifier === undefined) throw refusal()
  client.write(
    Buffer.concat([
      createMessage(backend.authentication, createInt32(authentication.saslFinal), proof),
      createMessage(backend.authentication, createInt32(authentication.ok)),
    ]),
  )
  return answers.rest()
}

function send(client: Socket, request: number, text: string): void {
  client.write(createMessage(backend.authentication, createInt32(request), text))
}

/** Gives one password message after the other. Anything else, and what is too long, ends it: nothing is kept of it. */
function createAnswerReader(client: Socket, beginning: Buffer): { read(): Promise<Buffer>; rest(): Buffer } {
  let bytes = beginning
  const take = (): Buffer | undefined => {
    const [type] = bytes
    if (type !== undefined && type !== frontend.password) {
      throw createProtocolRefusal(`expected password response, got message type ${type}`)
    }
    if (bytes.length < 5) return undefined
    const length = bytes.readInt32BE(1)
    if (length < 4 || length > maxAnswerBytes) throw createProtocolRefusal('invalid message length')
    if (bytes.length <= length) return undefined
    const message = bytes.subarray(0, length + 1)
    bytes = bytes.subarray(length + 1)
    return message
  }
  return {
    async read() {
      for (;;) {
        const message = take()
        if (message !== undefined) return message
        const chunk = await readChunk(client)
        if (chunk === undefined) {
          throw new GatewayRefusal({ code: sqlState.connectionFailure, message: 'the client hung up' })
        }
        bytes = Buffer.concat([bytes, chunk])
      }
    },
    rest: () => bytes,
  }
}

/** SQLSTATE protocol_violation. */
function createProtocolRefusal(message: string): GatewayRefusal {
  return new GatewayRefusal({ code: '08P01', message })
}

/** Lives as long as this process, so that a role which is not there has the same salt whenever it is asked for. */
const mockSecret = randomBytes(32)

/** So that nobody learns by the way they are refused which roles there are (source: mock_scram_secret in auth-scram.c). */
function createMockVerifier(user: string): ScramVerifier {
  const salt = createHash('sha256').update(mockSecret).update(user).digest().subarray(0, 16)
  return { iterations: 4096, salt: salt.toString('base64'), storedKey: randomBytes(32), serverKey: randomBytes(32) }
}
