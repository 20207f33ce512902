import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHome } from './home.ts'

/** A client of the supervisor's socket that says whatever it likes. */
export interface RawClient {
  socket: Socket
  /** All that was answered, a line each. */
  lines: string[]
  isClosed(): boolean
  send(text: string): void
  /** Waits until it has been answered once more, or hung up on. */
  next(): Promise<string | undefined>
  close(): void
}

export async function openRaw(home: TestHome, { greets = true }: { greets?: boolean } = {}): Promise<RawClient> {
  const socket = await connectPatiently(join(home.stateDir, 'run/supervisor.sock'))
  socket.setEncoding('utf8')
  const lines: string[] = []
  let rest = ''
  const state = { isClosed: false }
  let read = 0
  socket.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  socket.on('error', () => {})
  socket.on('close', () => (state.isClosed = true))
  const client: RawClient = {
    socket,
    lines,
    isClosed: () => state.isClosed,
    send: (text) => void socket.write(`${text}\n`),
    async next() {
      while (lines.length <= read && !state.isClosed) {
        await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => {})
      }
      read += 1
      return lines[read - 1]
    },
    close: () => void socket.destroy(),
  }
  if (greets) {
    client.send(JSON.stringify({ t: 'q', i: 'hello', m: 'hello', a: [{ version: home.version }] }))
    await client.next()
  }
  return client
}

/** Where many come at once, the kernel turns some away until the supervisor has taken the others (EAGAIN), as clients know. */
async function connectPatiently(path: string): Promise<Socket> {
  for (let attempt = 1; ; attempt += 1) {
    const socket = connect(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      socket.destroy()
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || attempt >= 500) throw error
      await sleep(20)
    }
  }
}
