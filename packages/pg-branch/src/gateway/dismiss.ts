import type { Socket } from 'node:net'
import { getMaxClients } from './client-budget.ts'
import { createErrorResponse, sqlState } from './messages.ts'

/** For a client that does not hang up. */
const lingerMs = 1_000

/** Tells a client why, and listens to nothing more that it says. */
export function dismiss(client: Socket, words: Buffer): void {
  if (client.writable) client.end(words)
  client.resume()
  setTimeout(() => client.destroy(), lingerMs).unref()
}

/** For a client that comes when the process has no descriptors left for it. */
export function dismissForDescriptors(client: Socket): void {
  const message = `sorry, too many clients already: pg-branch's supervisor has ${getMaxClients()}, all that its descriptors allow`
  const hint = 'Close what is not needed, or raise the limit where tests are started: ulimit -n'
  dismiss(client, createErrorResponse({ code: sqlState.tooManyConnections, message, hint }))
}
