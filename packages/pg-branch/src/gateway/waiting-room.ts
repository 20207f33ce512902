import type { Socket } from 'node:net'
import { waitUntil } from '../lib/processes.ts'
import type { ClientPlace } from './client-budget.ts'

/** A client that has not logged in. */
export interface Stranger {
  readonly socket: Socket
  readonly place: ClientPlace
  readonly since: number
  /** Whether it has said who it is: then somebody may wait for it a moment. */
  hasSpoken: boolean
}

/** Those that somebody waited for in vain are followed by more of their kind: for so long nobody is waited for. */
const distrustMs = 5_000

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
  readonly #waiting: Array<Pick<Stranger, 'socket' | 'place'>> = []
  #timer: NodeJS.Timeout | undefined
  #distrustedUntil = 0
  /** How many have been let in. */
  #admitted = 0

  constructor({ max, serve }: { max: number; serve(stranger: Stranger): Promise<void> }) {
    this.#max = max
    this.#serve = serve
  }

  /** @param socket which is paused. */
  enter(socket: Socket, place: ClientPlace): void {
    const client = { socket, place }
    this.#waiting.push(client)
    socket.once('close', () => {
      const index = this.#waiting.indexOf(client)
      if (index !== -1) this.#waiting.splice(index, 1)
    })
    this.#next()
  }

  /** Waits for whoever is just coming in, at most for `graceMs`, and never for one that is silent. */
  async settle({ graceMs, silentMs }: { graceMs: number; silentMs: number }): Promise<void> {
    const isQuiet = () => {
      const now = performance.now()
      return ![...this.#served].some(({ since, hasSpoken }) => now - since < (hasSpoken ? graceMs : silentMs))
    }
    if (isQuiet() || performance.now() < this.#distrustedUntil) return
    const admitted = this.#admitted
    const isInVain = !(await waitUntil(isQuiet, { timeoutMs: graceMs })) && admitted === this.#admitted
    if (isInVain) this.#distrustedUntil = performance.now() + distrustMs
  }

  /** One of them has logged in. */
  admit({ place }: Stranger): void {
    this.#admitted += 1
    place.admit()
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const { socket } of this.#waiting.splice(0)) socket.destroy()
    for (const { socket } of this.#served) socket.destroy()
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#served.size < this.#max) {
      const client = this.#waiting.pop()
      if (client !== undefined) void this.#run(client)
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

  async #run({ socket, place }: Pick<Stranger, 'socket' | 'place'>): Promise<void> {
    const stranger: Stranger = { socket, place, since: performance.now(), hasSpoken: false }
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
