import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Fault =
  /** Answers by itself. */
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Lets so many bytes of the answer through, and ends the connection. */
  | { cutAfterBytes: number }
  /** Ends the connection instead of an answer. */
  | 'drop'
  | { waitMs: number }

export interface FaultyProxy {
  origin: string
  /** What the next requests meet, one each; later ones go through. */
  meet(...faults: Fault[]): void
  /** How many requests there were since then. */
  readonly count: number
  [Symbol.asyncDispose](): Promise<void>
}

/** Stands before a store that speaks HTTP, and does what networks and servers under load do. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let faults: Fault[] = []
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    void handle(request, { response, fault: faults.shift(), target })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    meet(...next) {
      faults = next
      count = 0
    },
    get count() {
      return count
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function handle(
  request: IncomingMessage,
  { response, fault, target }: { response: ServerResponse; fault: Fault | undefined; target: string },
): Promise<void> {
  const { method, url, headers, socket } = request
  if (fault === 'drop') return void socket.destroy()
  if (typeof fault === 'object' && 'status' in fault) {
    request.resume()
    await once(request, 'end')
    return void response.writeHead(fault.status, fault.headers).end(fault.body)
  }
  if (typeof fault === 'object' && 'waitMs' in fault) await sleep(fault.waitMs)
  const cutAfterBytes = typeof fault === 'object' && 'cutAfterBytes' in fault ? fault.cutAfterBytes : undefined
  const forwarded = ask(new URL(url ?? '', target), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    if (cutAfterBytes === undefined) return void answer.pipe(response)
    let sent = 0
    answer.on('data', (piece: Buffer) => {
      response.write(piece.subarray(0, Math.max(0, cutAfterBytes - sent)), () => {
        if (sent >= cutAfterBytes) socket.destroy()
      })
      sent += piece.length
    })
  })
  forwarded.on('error', () => socket.destroy())
  request.pipe(forwarded)
}
