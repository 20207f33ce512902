import type { Socket } from 'node:net'
import { createBirpc, type BirpcReturn } from 'birpc'
import { deserializeError, serializeError, type SerializedError } from './serialized-error.ts'

export type Rpc<Remote extends object, Local extends object> = BirpcReturn<Remote, Local>

interface Message {
  e?: unknown
}

/** JSON that carries errors of ours whole; birpc leaves them to the serializer. */
function serialize(message: Message): string {
  return JSON.stringify(message.e === undefined ? message : { ...message, e: serializeError(message.e) })
}

function deserialize(text: string): Message {
  const message = JSON.parse(text) as Message
  return message.e === undefined ? message : { ...message, e: deserializeError(message.e as SerializedError) }
}

/**
 * Calls in both directions over anything that passes strings. No call has a time limit: builds take
 * as long as they take, and a closed channel rejects what is pending.
 */
export function createRpc<Remote extends object, Local extends object>(options: {
  functions: Local
  post(text: string): void
  on(listener: (text: string) => void): void
}): Rpc<Remote, Local> {
  return createBirpc<Remote, Local>(options.functions, {
    post: options.post,
    on: options.on,
    serialize,
    deserialize,
    timeout: -1,
  })
}

/** One JSON message a line over a socket. */
export function createSocketRpc<Remote extends object, Local extends object>(
  socket: Socket,
  functions: Local,
): Rpc<Remote, Local> {
  socket.setEncoding('utf8')
  return createRpc<Remote, Local>({
    functions,
    post: (text) => {
      if (socket.writable) socket.write(`${text}\n`)
    },
    on: (listener) => {
      let rest = ''
      socket.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) listener(line)
      })
    },
  })
}
