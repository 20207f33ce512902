import type { Socket } from 'node:net'
import { createInt32, createMessage, readCString } from './messages.ts'

/** Codes in place of a version, in a client's first message (postgresql.org, "Message Formats"). */
const sslRequest = 80_877_103
const gssRequest = 80_877_104
const cancelRequest = 80_877_102
const majorVersion = 3
/** As Postgres itself does (MAX_STARTUP_PACKET_LENGTH in pqcomm.h, without the length itself): enough for any settings. */
const maxStartupBytes = 10_000
const negotiateProtocolVersion = 0x76

export interface StartOpening {
  kind: 'start'
  parameters: Map<string, string>
  /** What the client said beyond, which is nothing with a patient one. */
  rest: Buffer
}

/** What a client begins with. */
export type Opening = StartOpening | { kind: 'cancel'; key: Buffer } | { kind: 'unknown' }

/**
 * Reads a client's first message. Requests for encryption are declined, as a branch itself declines
 * them, once for each kind as Postgres does: it is on this machine. A newer minor version is negotiated down, as an older server does.
 *
 * @returns undefined if the client hangs up first.
 */
export async function readOpening(client: Socket): Promise<Opening | undefined> {
  let bytes: Buffer = Buffer.alloc(0)
  const declined = new Set<number>()
  for (;;) {
    const length = bytes.length < 4 ? undefined : bytes.readInt32BE(0)
    if (length !== undefined && (length < 8 || length - 4 > maxStartupBytes)) return { kind: 'unknown' }
    if (length === undefined || bytes.length < length) {
      const chunk = await readChunk(client)
      if (chunk === undefined) return undefined
      bytes = Buffer.concat([bytes, chunk])
      // Neither a length of four bytes nor any version begins so: it is TLS without asking.
      if (bytes[0] === 0x16) return { kind: 'unknown' }
      continue
    }
    const message = bytes.subarray(0, length)
    const rest = bytes.subarray(length)
    const code = message.readInt32BE(4)
    if ((code === sslRequest || code === gssRequest) && !declined.has(code)) {
      declined.add(code)
      client.write('N')
      bytes = rest
      continue
    }
    if (code === cancelRequest) return { kind: 'cancel', key: message.subarray(8) }
    if (code >> 16 !== majorVersion) return { kind: 'unknown' }
    const parameters = readParameters(message)
    const options = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'))
    for (const name of options) parameters.delete(name)
    if ((code & 0xff_ff) > 0 || options.length > 0) client.write(createNegotiation(options))
    return { kind: 'start', parameters, rest }
  }
}

function createNegotiation(options: string[]): Buffer {
  const names = options.map((name) => `${name}\0`)
  return createMessage(negotiateProtocolVersion, createInt32(majorVersion << 16), createInt32(options.length), ...names)
}

function readParameters(message: Buffer): Map<string, string> {
  const parameters = new Map<string, string>()
  let offset = 8
  while (offset < message.length && message[offset] !== 0) {
    const name = readCString(message, offset)
    const value = readCString(message, name.next)
    parameters.set(name.text, value.text)
    offset = value.next
  }
  return parameters
}

/** @returns a start-up message with these parameters. */
export function createStartup(parameters: Iterable<[string, string]>): Buffer {
  const texts = [...parameters].map(([name, value]) => `${name}\0${value}\0`)
  const body = Buffer.from(`${texts.join('')}\0`)
  return Buffer.concat([createInt32(body.length + 8), createInt32(majorVersion << 16), body])
}

export function createSslRequest(): Buffer {
  return Buffer.concat([createInt32(8), createInt32(sslRequest)])
}

export function createCancel(key: Buffer): Buffer {
  return Buffer.concat([createInt32(key.length + 8), createInt32(cancelRequest), key])
}

/** @returns the next bytes, undefined at the end. */
export function readChunk(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (chunk?: Buffer) => {
      socket.pause()
      socket.off('data', settle).off('close', onEnd).off('end', onEnd).off('error', onEnd)
      resolve(chunk)
    }
    const onEnd = () => settle()
    if (socket.destroyed || socket.readableEnded) return resolve(undefined)
    socket.on('data', settle).on('close', onEnd).on('end', onEnd).on('error', onEnd)
    socket.resume()
  })
}
