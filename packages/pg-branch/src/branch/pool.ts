import { createLog } from '../lib/log.ts'
import type { Branch, BranchSource, BranchStrategy } from './contract.ts'

const log = createLog('pool')

export interface PoolOptions<Source extends BranchSource> {
  strategy: BranchStrategy<Source>
  source: Source
  /** Branches kept ready. */
  size: number
  /** Branches made at the same time. */
  parallelForks: number
}

interface Waiter {
  resolve(branch: Branch): void
  reject(error: unknown): void
}

/** Used branches are removed in batches: one process removes many. */
const discardDelayMs = 50
const refillDelayMs = 25
const sampleSize = 1_000

/**
 * Ready branches of one source, made ahead of need.
 *
 * A branch is *warming* (being forked) → *ready* → *leased* (`lease`) → *dirty* (`release`) → *gone*:
 * discarded, or, where the strategy recycles, parked without a server until it is consumed by the fork
 * of its successor. A ready branch whose server dies is gone at once and replaced. After `drain`
 * nothing is made ahead any more, and what is ready or parked is discarded.
 */
export class Pool<Source extends BranchSource = BranchSource> {
  readonly #options: PoolOptions<Source>
  readonly #ready: Branch[] = []
  readonly #waiters: Waiter[] = []
  /** Used branches whose directory the next fork starts over from. */
  readonly #parked: Branch[] = []
  readonly #dirty: Branch[] = []
  readonly #forks = new Set<Promise<void>>()
  /** How long the last forks took. */
  readonly forkMs: number[] = []
  /** How long the last removals took, shared among the branches of a batch. */
  readonly removeMs: number[] = []
  #leased = 0
  #draining = false
  /** After a failed fork without anyone waiting, nothing is tried until somebody asks. */
  #resting = false
  #discarding: Promise<void> = Promise.resolve()

  constructor(options: PoolOptions<Source>) {
    this.#options = options
  }

  get counts(): { ready: number; warming: number; leased: number; dirty: number } {
    return {
      ready: this.#ready.length,
      warming: this.#forks.size,
      leased: this.#leased,
      dirty: this.#dirty.length + this.#parked.length,
    }
  }

  /** Starts to fill up, without anyone waiting. */
  warm(): void {
    this.#resting = false
    this.#refill()
  }

  /** @returns a ready branch; `warm` says whether it was waiting to be leased. */
  async lease(): Promise<{ branch: Branch; warm: boolean }> {
    this.#resting = false
    const branch = this.#ready.shift()
    if (branch !== undefined) {
      this.#leased += 1
      // Not at once: the holder should have its answer, and a moment for its first connection.
      setTimeout(() => this.#refill(), refillDelayMs)
      return { branch, warm: true }
    }
    const forked = new Promise<Branch>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    this.#refill()
    return { branch: await forked, warm: false }
  }

  release(branch: Branch): void {
    this.#leased -= 1
    const { strategy, size } = this.#options
    if (strategy.capabilities.recycles && !this.#draining && this.#parked.length < size) {
      this.#parked.push(branch)
      void strategy.stop(branch)
    } else {
      this.#dirty.push(branch)
    }
    this.#refill()
    setTimeout(() => this.#discardDirty(), discardDelayMs)
  }

  /** Takes back a leased branch that was never written to. */
  putBack(branch: Branch): void {
    if (this.#draining) return this.release(branch)
    const waiter = this.#waiters.shift()
    if (waiter !== undefined) return waiter.resolve(branch)
    this.#leased -= 1
    this.#shelve(branch)
  }

  /** Takes a leased branch out of the pool's care: the caller discards it some day. */
  surrender(): void {
    this.#leased -= 1
    this.#refill()
  }

  /** Ends the pool once nothing is in the making; leased branches are discarded when they come back. */
  async drain(): Promise<void> {
    this.#draining = true
    await Promise.all(this.#forks)
    this.#dirty.push(...this.#ready.splice(0), ...this.#parked.splice(0))
    this.#discardDirty()
    await this.#discarding
  }

  #refill(): void {
    const { size } = this.#options
    const wanted = (this.#draining ? 0 : size) + this.#waiters.length
    while (
      !this.#resting &&
      this.#forks.size < this.#getForkLimit() &&
      this.#ready.length + this.#forks.size < wanted
    ) {
      const fork = this.#fork().finally(() => {
        this.#forks.delete(fork)
        this.#refill()
      })
      this.#forks.add(fork)
    }
  }

  /** Every core while somebody waits, or would next; else one, since what is made ahead is paid by the tests. */
  #getForkLimit(): number {
    return this.#waiters.length > 0 || this.#ready.length === 0 ? this.#options.parallelForks : 1
  }

  async #fork(): Promise<void> {
    const { strategy, source } = this.#options
    const recycle = this.#parked.shift()
    const startedAt = performance.now()
    try {
      const branch = await strategy.fork(source, recycle)
      this.forkMs.push(performance.now() - startedAt)
      if (this.forkMs.length > sampleSize) this.forkMs.shift()
      const waiter = this.#waiters.shift()
      if (waiter === undefined) this.#shelve(branch)
      else {
        this.#leased += 1
        waiter.resolve(branch)
      }
    } catch (error) {
      log('fork of %s failed: %O', source.key, error)
      const waiters = this.#waiters.splice(0)
      if (waiters.length === 0) this.#resting = true
      for (const waiter of waiters) waiter.reject(error)
    }
  }

  #shelve(branch: Branch): void {
    this.#ready.push(branch)
    void branch.exited.then(() => {
      const index = this.#ready.indexOf(branch)
      if (index === -1) return
      log('branch %s died while ready', branch.id)
      this.#ready.splice(index, 1)
      this.#dirty.push(branch)
      this.#discardDirty()
      this.#refill()
    })
  }

  #discardDirty(): void {
    const branches = this.#dirty.splice(0)
    if (branches.length === 0) return
    this.#discarding = this.#discarding
      .then(async () => {
        const startedAt = performance.now()
        await this.#options.strategy.discard(branches)
        this.removeMs.push((performance.now() - startedAt) / branches.length)
        if (this.removeMs.length > sampleSize) this.removeMs.shift()
      })
      .catch((error: unknown) => log('discard failed: %O', error))
  }
}
