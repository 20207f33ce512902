import { setTimeout as sleep } from 'node:timers/promises'
import type { Branch } from '../branch/contract.ts'
import type { Origin } from '../branch/origin.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Prepared } from '../gateway/prepared.ts'
import type { GatewayTarget } from '../gateway/upstream.ts'

/** @returns where a gateway finds a branch. */
export function createTarget(branch: Branch): GatewayTarget {
  return { address: branch, socketDir: branch.socketDir }
}

/** The branch that a workspace moves to next, if it is one of the same origin. */
export interface Spare {
  branch: Branch
  prepared: Prepared
}

/** The test should have its first queries, and a pool its time to make a branch. */
const delayMs = 50
const retryMs = 50

interface Attempt {
  origin: Origin
  isWanted: boolean
  /** Set once it is ready. */
  spare: Spare | undefined
  done: Promise<void>
}

/**
 * Keeps the next branch of a workspace at hand, with connections that are open: connecting is most of
 * what a test pays for a fresh branch.
 */
export class SpareKeeper {
  readonly #gateway: Gateway
  #attempt: Attempt | undefined

  constructor(gateway: Gateway) {
    this.#gateway = gateway
  }

  /** Begins to get one, unless there is one. */
  want(origin: Origin): void {
    if (this.#attempt !== undefined) return
    origin.retain()
    const attempt: Attempt = { origin, isWanted: true, spare: undefined, done: Promise.resolve() }
    attempt.done = this.#get(attempt).catch(() => {})
    this.#attempt = attempt
  }

  /** @returns one of `origin`, if it is there by now; any other goes back. */
  take(origin: Origin): Spare | undefined {
    const attempt = this.#attempt
    this.#attempt = undefined
    if (attempt === undefined) return undefined
    const { spare } = attempt
    if (attempt.origin === origin && spare !== undefined) {
      attempt.spare = undefined
      void attempt.origin.release()
      return spare
    }
    void giveBack(attempt)
    return undefined
  }

  async close(): Promise<void> {
    const attempt = this.#attempt
    this.#attempt = undefined
    if (attempt !== undefined) await giveBack(attempt)
  }

  async #get(attempt: Attempt): Promise<void> {
    const { pool } = attempt.origin
    await sleep(delayMs)
    // Never one that somebody would have to wait for.
    while (attempt.isWanted && pool.counts.ready === 0) await sleep(retryMs)
    if (!attempt.isWanted) return
    // Only tests have one, see `ForkOptions`.
    const { branch } = await pool.lease({ keepsControl: true })
    const prepared = await this.#gateway.prepare(createTarget(branch))
    attempt.spare = { branch, prepared }
    void branch.exited.then(() => {
      if (attempt.spare === undefined) return
      attempt.spare = undefined
      pool.release(branch)
    })
  }
}

async function giveBack(attempt: Attempt): Promise<void> {
  attempt.isWanted = false
  await attempt.done
  const { spare, origin } = attempt
  attempt.spare = undefined
  spare?.prepared.close()
  if (spare !== undefined) origin.pool.putBack(spare.branch)
  await origin.release()
}
