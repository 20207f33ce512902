import type { Socket } from 'node:net'

/** A client that has not logged in. */
export interface Stranger {
  readonly socket: Socket
  readonly since: number
  /** Whether it has said who it is: then somebody may wait for it a moment. */
  hasSpoken: boolean
}

/** As Postgres has it by default (`authentication_timeout`). */
const loginTimeoutMs = 60_000
/** Where others wait, clients that take longer than this have had their time. */
const patienceMs = 1_000

/**
 * Clients of a gateway from when they connect until they are let in. At most `max` are served at the same time;
 * those beyond wait, and nothing that they say is read. Who came last is next: behind hundreds that say nothing
 * nobody else would have a turn.
 */
export class WaitingRoom {
  readonly #max: number
  readonly #serve: (stranger: Stranger) => Promise<void>
  readonly #served = new Set<Stranger>()
  readonly #waiting: Socket[] = []
  #timer: NodeJS.Timeout | undefined

  constructor({ max, serve }: { max: number; serve(stranger: Stranger): Promise<void> }) {
    this.#max = max
    this.#serve = serve
  }

  /** @param socket which is paused. */
  enter(socket: Socket): void {
    this.#waiting.push(socket)
    socket.once('close', () => {
      const index = this.#waiting.indexOf(socket)
      if (index !== -1) this.#waiting.splice(index, 1)
    })
    this.#next()
  }

  /** Whether somebody is just coming in, for whom it is worth while to wait: never one that is silent. */
  isAnybodyComing({ graceMs, silentMs }: { graceMs: number; silentMs: number }): boolean {
    const now = performance.now()
    return [...this.#served].some(({ since, hasSpoken }) => now - since < (hasSpoken ? graceMs : silentMs))
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const socket of this.#waiting.splice(0)) socket.destroy()
    for (const { socket } of this.#served) socket.destroy()
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#served.size < this.#max) {
      const socket = this.#waiting.pop()
      if (socket !== undefined) void this.#run(socket)
    }
    clearTimeout(this.#timer)
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#dismissSlow(), patienceMs / 4)
  }

  #dismissSlow(): void {
    const now = performance.now()
    const slow = [...this.#served].filter(({ since }) => now - since > patienceMs)
    for (const stranger of slow.slice(0, this.#waiting.length)) {
      this.#served.delete(stranger)
      stranger.socket.destroy()
    }
    this.#next()
  }

  async #run(socket: Socket): Promise<void> {
    const stranger: Stranger = { socket, since: performance.now(), hasSpoken: false }
    this.#served.add(stranger)
    const timer = setTimeout(() => socket.destroy(), loginTimeoutMs)
    try {
      await this.#serve(stranger)
    } finally {
      clearTimeout(timer)
      this.#served.delete(stranger)
      this.#next()
    }
  }
}
