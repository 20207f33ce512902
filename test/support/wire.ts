import { connect, type Socket } from 'node:net'
import sasl from 'pg/lib/crypto/sasl.js'
import { serialize } from 'pg-protocol'

/** One message of a server: its type letter, and its body as text with bytes above 127 as they are. */
export type Message = [type: string, body: string]

export interface WireClient {
  /** All that the server has said, in order. */
  readonly messages: Message[]
  readonly socket: Socket
  send(...parts: Buffer[]): void
  /** Waits until the server has said something of this type once more, or hung up. */
  until(type: string): Promise<void>
  close(): void
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function createStartup(parameters: Record<string, string>, version = 196_608): Buffer {
  const text = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  const body = Buffer.from(`${text.join('')}\0`)
  return Buffer.concat([int32(body.length + 8), int32(version), body])
}

export const sslRequest: Buffer = Buffer.concat([int32(8), int32(80_877_103)])
export const gssRequest: Buffer = Buffer.concat([int32(8), int32(80_877_104)])

export const createCancel = (pid: number, secret: number): Buffer =>
  Buffer.concat([int32(16), int32(80_877_102), int32(pid), int32(secret)])

/** A message of the client with any type and body. */
export function frame(type: string, ...parts: Array<Buffer | string>): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** Speaks the protocol byte by byte; logs in by SCRAM when asked. */
export async function openWire(
  url: string,
  {
    startup = {},
    before = [],
    password,
  }: { startup?: Record<string, string>; before?: Buffer[]; password?: string } = {},
): Promise<WireClient> {
  const { hostname, port, username, password: known, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  await new Promise((resolve) => socket.once('connect', resolve))
  const messages: Message[] = []
  let bytes: Buffer = Buffer.alloc(0)
  let plainAnswers = before.length
  const state = { isClosed: false }
  const waiting = new Set<() => void>()
  const session = sasl.startSession(['SCRAM-SHA-256'])
  const secret = password ?? decodeURIComponent(known)
  const logIn = async (body: Buffer) => {
    const code = body.readInt32BE(0)
    if (code === 10) socket.write(serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', session.response))
    if (code !== 11) return
    await sasl.continueSession(session, secret, body.toString('utf8', 4))
    socket.write(serialize.sendSCRAMClientFinalMessage(session.response))
  }
  const read = () => {
    for (;;) {
      if (plainAnswers > 0 && bytes.length > 0) {
        messages.push(['plain', bytes.toString('latin1', 0, 1)])
        bytes = bytes.subarray(1)
        plainAnswers -= 1
        continue
      }
      if (bytes.length < 5 || bytes.length < bytes.readInt32BE(1) + 1) return
      const length = bytes.readInt32BE(1) + 1
      const type = bytes.toString('latin1', 0, 1)
      const body = bytes.subarray(5, length)
      messages.push([type, body.toString('latin1')])
      if (type === 'R') void logIn(Buffer.from(body))
      bytes = bytes.subarray(length)
    }
  }
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    read()
    for (const wake of waiting) wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    state.isClosed = true
    messages.push(['closed', ''])
    for (const wake of waiting) wake()
  })
  const seen = new Map<string, number>()
  const count = (type: string) => messages.filter(([other]) => other === type).length
  const client: WireClient = {
    messages,
    socket,
    send: (...parts) => void socket.write(Buffer.concat(parts)),
    async until(type) {
      const wanted = (seen.get(type) ?? 0) + 1
      while (count(type) < wanted && !state.isClosed) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
      seen.set(type, wanted)
    },
    close: () => void socket.end(frame('X')),
  }
  for (const part of before) {
    socket.write(part)
    await client.until('plain')
  }
  socket.write(createStartup({ user: decodeURIComponent(username), database: pathname.slice(1), ...startup }))
  await Promise.race([client.until('Z'), client.until('E'), client.until('closed')])
  seen.set('Z', count('Z'))
  seen.set('E', count('E'))
  return client
}
