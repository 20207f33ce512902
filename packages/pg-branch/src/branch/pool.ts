import { createLog } from '../lib/log.ts'
import type { Branch, BranchSource, BranchStrategy } from './contract.ts'

const log = createLog('pool')

/** A branch that no pool looks after any more. */
export interface Surrendered {
  branch: Branch
  /** Removes it; whoever has it does so some day. */
  discard(): Promise<void>
}

/** What the users of a pool see of it, whatever its strategy keeps of a branch. */
export interface BranchPool {
  readonly counts: { ready: number; warming: number; leased: number; dirty: number }
  /** How long the last forks took. */
  readonly forkMs: readonly number[]
  /** How long the last removals took, shared among the branches of a batch. */
  readonly removeMs: readonly number[]
  /** Starts to fill up, without anyone waiting. */
  warm(): void
  /**
   * @param options.keepsControl see `ForkOptions`; a ready branch is leased also if it is not of that kind. Those
   *   that are made ahead are of the kind that was asked for last.
   * @returns a ready branch; `warm` says whether it was waiting to be leased.
   */
  lease(options?: { keepsControl?: boolean }): Promise<{ branch: Branch; warm: boolean }>
  release(branch: Branch): void
  /** Takes back a leased branch that was never written to. */
  putBack(branch: Branch): void
  /** Takes a leased branch out of the pool's care. */
  surrender(branch: Branch): Surrendered
  /** Ends the pool once nothing is in the making; leased branches are discarded when they come back. */
  drain(): Promise<void>
}

export interface PoolOptions<Source extends BranchSource, Handle extends Branch> {
  strategy: BranchStrategy<Source, Handle>
  source: Source
  /** Branches kept ready. */
  size: number
  /** Branches made at the same time. */
  parallelForks: number
  /** Whether the first branches that are made ahead keep a connection of ours, see `ForkOptions`. */
  keepsControl: boolean
}

interface Waiter<Handle> {
  resolve(branch: Handle): void
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
export class Pool<Source extends BranchSource, Handle extends Branch> implements BranchPool {
  readonly #options: PoolOptions<Source, Handle>
  readonly #ready: Handle[] = []
  readonly #leased = new Map<Branch, Handle>()
  readonly #waiters: Array<Waiter<Handle>> = []
  /** Used branches whose directory the next fork starts over from. */
  readonly #parked: Handle[] = []
  readonly #dirty: Handle[] = []
  readonly #forks = new Set<Promise<void>>()
  readonly forkMs: number[] = []
  readonly removeMs: number[] = []
  #keepsControl: boolean
  #draining = false
  /** After a failed fork without anyone waiting, nothing is tried until somebody asks. */
  #resting = false
  #discarding: Promise<void> = Promise.resolve()

  constructor(options: PoolOptions<Source, Handle>) {
    this.#options = options
    this.#keepsControl = options.keepsControl
  }

  get counts(): { ready: number; warming: number; leased: number; dirty: number } {
    return {
      ready: this.#ready.length,
      warming: this.#forks.size,
      leased: this.#leased.size,
      dirty: this.#dirty.length + this.#parked.length,
    }
  }

  warm(): void {
    this.#resting = false
    this.#refill()
  }

  async lease({ keepsControl = false }: { keepsControl?: boolean } = {}): Promise<{ branch: Handle; warm: boolean }> {
    this.#resting = false
    this.#keepsControl = keepsControl
    const fitting = this.#ready.findIndex(({ control }) => (control !== undefined) === keepsControl)
    const [branch] = this.#ready.splice(Math.max(0, fitting), 1)
    if (branch !== undefined) {
      this.#leased.set(branch, branch)
      // Not at once: the holder should have its answer, and a moment for its first connection.
      setTimeout(() => this.#refill(), refillDelayMs)
      return { branch, warm: true }
    }
    const forked = new Promise<Handle>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    this.#refill()
    return { branch: await forked, warm: false }
  }

  release(leased: Branch): void {
    const branch = this.#takeLeased(leased)
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

  putBack(leased: Branch): void {
    if (this.#draining) return this.release(leased)
    const branch = this.#takeLeased(leased)
    const waiter = this.#waiters.shift()
    if (waiter === undefined) return this.#shelve(branch)
    this.#leased.set(branch, branch)
    waiter.resolve(branch)
  }

  surrender(leased: Branch): Surrendered {
    const branch = this.#takeLeased(leased)
    this.#refill()
    return { branch, discard: () => this.#options.strategy.discard([branch]) }
  }

  /** Saves the state of a leased branch. */
  snapshot(leased: Branch): Promise<Source> {
    return this.#options.strategy.snapshot(this.#findLeased(leased))
  }

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
      const branch = await strategy.fork(source, { recycle, keepsControl: this.#keepsControl })
      this.forkMs.push(performance.now() - startedAt)
      if (this.forkMs.length > sampleSize) this.forkMs.shift()
      const waiter = this.#waiters.shift()
      if (waiter === undefined) this.#shelve(branch)
      else {
        this.#leased.set(branch, branch)
        waiter.resolve(branch)
      }
    } catch (error) {
      log('fork of %s failed: %O', source.key, error)
      const waiters = this.#waiters.splice(0)
      if (waiters.length === 0) this.#resting = true
      for (const waiter of waiters) waiter.reject(error)
    }
  }

  #findLeased(branch: Branch): Handle {
    const handle = this.#leased.get(branch)
    if (handle !== undefined) return handle
    throw new Error(`the branch ${branch.id} is not leased from this pool`)
  }

  #takeLeased(branch: Branch): Handle {
    const handle = this.#findLeased(branch)
    this.#leased.delete(branch)
    return handle
  }

  #shelve(branch: Handle): void {
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
