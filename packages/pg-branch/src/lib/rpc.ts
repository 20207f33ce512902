import type { Socket } from 'node:net'
import { createBirpc, type BirpcReturn } from 'birpc'
import { PgBranchError } from './errors.ts'
import { deserializeError, serializeError } from './serialized-error.ts'

export type Rpc<Remote extends object, Local extends object> = BirpcReturn<Remote, Local>

/** What birpc sends: a question, with a method and arguments, or an answer. */
type Message =
  | { t: 'q'; m: string; a: unknown[]; i?: string | undefined; o?: boolean | undefined }
  | { t: 's'; i: string; r?: unknown; e?: unknown }

/** The last line to a peer that is refused. */
const refusedType = 'refused'

/** JSON that carries errors of ours whole; birpc leaves them to the serializer. */
function serialize(message: { e?: unknown }): string {
  return JSON.stringify(message.e === undefined ? message : { ...message, e: serializeError(message.e) })
}

/** @throws PgBranchError `PGB_PROTOCOL` for what is no message, or what the peer refused us with. */
function deserialize(text: string): Message {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw createProtocolError('a line is not JSON')
  }
  if (typeof value !== 'object' || value === null) throw createProtocolError('a line is no message')
  const { t, m, a, i, o, r, e } = value as Record<string, unknown>
  if (t === refusedType) throw deserializeError(e)
  const isNamed = typeof i === 'string'
  if (t === 's' && isNamed) return { t, i, r, ...(e === undefined ? {} : { e: deserializeError(e) }) }
  if (t !== 'q' || typeof m !== 'string' || !Array.isArray(a) || !(isNamed || i === undefined)) {
    throw createProtocolError('a line is no message')
  }
  return { t, m, a: a as unknown[], ...(isNamed ? { i } : {}), ...(o === true ? { o } : {}) }
}

export function createProtocolError(problem: string): PgBranchError {
  return new PgBranchError(`the other side does not speak pg-branch's protocol: ${problem}`, { code: 'PGB_PROTOCOL' })
}

/**
 * Calls in both directions over anything that passes strings. No call has a time limit: builds take
 * as long as they take, and a closed channel rejects what is pending.
 *
 * @param options.onBroken hears of what is no message, or a method that is not there: nothing is thrown.
 */
export function createRpc<Remote extends object, Local extends object>(options: {
  functions: Local
  post(text: string): void
  on(listener: (text: string) => void): void
  onBroken?(error: PgBranchError): void
}): Rpc<Remote, Local> {
  const { functions, onBroken = () => {} } = options
  return createBirpc<Remote, Local>(functions, {
    post: options.post,
    on(listener: (message: Message) => void) {
      options.on((text) => {
        let message: Message
        try {
          message = deserialize(text)
        } catch (error) {
          onBroken(error instanceof PgBranchError ? error : createProtocolError(String(error)))
          return
        }
        listener(message)
      })
    },
    serialize,
    timeout: -1,
    // Only what we offer ourselves: every object has `constructor` and `toString`.
    resolver(name, found) {
      if (Object.hasOwn(functions, name) && typeof found === 'function') return found
      return () => {
        const error = createProtocolError(`there is no method ${JSON.stringify(name)}`)
        setImmediate(() => onBroken(error))
        throw error
      }
    },
  })
}

/** What waits for a peer that does not read; beyond this it is given up. */
const maxUnreadBytes = 64 * 1024 ** 2

/** One JSON message a line over a socket. A line that is longer than `maxLineBytes` is as wrong as any other. */
export function createSocketRpc<Remote extends object, Local extends object>(
  socket: Socket,
  functions: Local,
  { maxLineBytes, onBroken }: { maxLineBytes?: number; onBroken?(error: PgBranchError): void } = {},
): Rpc<Remote, Local> {
  socket.setEncoding('utf8')
  let isBroken = false
  const giveUp = (error: PgBranchError) => {
    if (isBroken) return
    isBroken = true
    onBroken?.(error)
  }
  return createRpc<Remote, Local>({
    functions,
    onBroken: giveUp,
    post: (text) => {
      if (!socket.writable) return
      socket.write(`${text}\n`)
      if (socket.writableLength > maxUnreadBytes) socket.destroy()
    },
    on: (listener) => {
      let parts: string[] = []
      let length = 0
      socket.on('data', (chunk: string) => {
        if (isBroken) return
        const lines = chunk.split('\n')
        const rest = lines.pop() ?? ''
        for (const line of lines) {
          listener(parts.length === 0 ? line : parts.join('') + line)
          parts = []
          length = 0
        }
        if (rest !== '') parts.push(rest)
        length += rest.length
        if (maxLineBytes !== undefined && length > maxLineBytes) {
          parts = []
          giveUp(createProtocolError(`a line is longer than ${maxLineBytes} bytes`))
        }
      })
    },
  })
}

/** For a peer that is to know why it is not served any more. What it says from now on is not read. */
export function refuseSocket(socket: Socket, error: PgBranchError): void {
  if (socket.writable) socket.end(`${JSON.stringify({ t: refusedType, e: serializeError(error) })}\n`)
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

const lingerMs = 1_000
