import type { Socket } from 'node:net'
import { backend, createMessage } from './messages.ts'

/** Passes on what came from one side; it rests while the other side is full. */
export function forward(out: Buffer[], { from, to }: { from: Socket; to: Socket }): void {
  const [first] = out
  if (first === undefined || !to.writable) return
  if (to.write(out.length === 1 ? first : Buffer.concat(out))) return
  from.pause()
  to.once('drain', () => from.resume())
}

/**
 * Tells a client which of the settings that servers report are others now, and notes it in `known`.
 * (A server may do so at any time: postgresql.org, "Asynchronous Operations".)
 */
export function reportParameters(client: Socket, known: Map<string, string>, current: Map<string, string>): void {
  for (const [name, value] of current) {
    if (known.get(name) === value) continue
    known.set(name, value)
    client.write(createMessage(backend.parameterStatus, `${name}\0${value}\0`))
  }
}
