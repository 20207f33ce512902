import type { Branch } from '../branch/contract.ts'
import type { Origin } from '../branch/origin.ts'
import type { Surrendered } from '../branch/pool.ts'
import type { Gateway, GatewayOptions } from '../gateway/gateway.ts'
import { openGateway } from '../gateway/open-gateway.ts'
import type { LeftOver, Quiet } from '../gateway/quiesce.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { hooksLabel, isInternalSnapshot } from '../protocol/labels.ts'
import type { Rung } from '../protocol/protocol.ts'
import { BranchObserver, type Seen } from './branch-observer.ts'
import { SpareKeeper, createTarget } from './spare.ts'

const log = createLog('lease')

export interface ResetResult {
  rung: Rung
  /** Connections that the test left in a state which cannot move; they were closed. */
  leftOver: LeftOver[]
  /** The branch of the test that ended, if it was asked for: it is the caller's now. */
  kept: Surrendered | undefined
}

/**
 * One holder's address, with one branch after the other behind it, and the snapshots it has taken.
 *
 * `reset`, `snapshot` and the rest take turns. If a fresh branch cannot be had, the old one stays, with
 * every connection to it, and the holder is told.
 */
export class Workspace {
  readonly gateway: Gateway
  #branch: Branch
  /** What the branch was forked from. */
  #origin: Origin
  readonly #root: Origin
  readonly #spares: SpareKeeper
  /** See `ForkOptions`. */
  readonly #keepsControl: boolean
  readonly #snapshots = new Map<string, Origin>()
  /** Those that the present test has taken: they end with it. */
  readonly #ofTest = new Set<string>()
  #isInTest = false
  readonly #observer = new BranchObserver()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: { gateway: Gateway; branch: Branch; origin: Origin; keepsControl: boolean }) {
    const { gateway, branch, origin, keepsControl } = options
    this.gateway = gateway
    this.#keepsControl = keepsControl
    this.#spares = new SpareKeeper(gateway)
    this.#branch = branch
    this.#origin = origin
    this.#root = origin
    // Either may be a snapshot that somebody else forgets.
    this.#origin.retain()
    this.#root.retain()
  }

  get branch(): Branch {
    return this.#branch
  }

  get snapshotNames(): string[] {
    return [...this.#snapshots.keys()]
  }

  /**
   * Goes to a fresh branch of the template, or of the snapshot `to`. With `next` a test of that name begins.
   * With `keep` the present branch is not removed.
   */
  reset({
    next,
    to,
    keep,
  }: {
    next?: string | undefined
    to?: string | undefined
    keep: boolean
  }): Promise<ResetResult> {
    return this.#inTurn(async () => {
      const origin = to === undefined ? this.#root : this.#getSnapshot(to)
      const quiet = await this.#quiesce({ isForced: true })
      let rung: Rung = 'pristine'
      let kept: Surrendered | undefined
      try {
        // What was closed may still be at work behind its client's back.
        const isDisturbed = quiet.leftOver.length > 0
        if (keep || isDisturbed || origin !== this.#origin || !this.#isPristine(quiet)) {
          rung = 'fork'
          kept = await this.#moveTo(origin, { quiet, keep })
        }
      } finally {
        quiet.resume()
      }
      if (next !== undefined) {
        for (const name of this.#ofTest) await this.#drop(name)
        this.#ofTest.clear()
        this.#begin(next)
      }
      return { rung, leftOver: quiet.leftOver, kept }
    })
  }

  /** Saves the present state as `name`, in place of an earlier one of that name. */
  snapshot(name: string, next?: string): Promise<void> {
    return this.#inTurn(async () => {
      const origin = await this.#save({ isExact: !isInternalSnapshot(name) })
      await this.#drop(name)
      this.#snapshots.set(name, origin)
      if (this.#isInTest && !isInternalSnapshot(name)) this.#ofTest.add(name)
      if (next !== undefined) this.#begin(next)
    })
  }

  /** Forgets a snapshot; unknown ones are not an error. */
  dropSnapshot(name: string): Promise<void> {
    return this.#inTurn(() => this.#drop(name))
  }

  /** @returns the present state, or that of a snapshot, as something to fork from, with the caller as a user. */
  getOrigin(snapshot?: string): Promise<Origin> {
    return this.#inTurn(async () => {
      if (snapshot === undefined) return this.#save({ isExact: true })
      const origin = this.#getSnapshot(snapshot)
      origin.retain()
      return origin
    })
  }

  /** @returns what the present branch was forked from, with the caller as a user. */
  retainOrigin(): Origin {
    this.#origin.retain()
    return this.#origin
  }

  /** @returns the last branch, which is now the caller's, and the origin to whose pool it goes back. */
  async close(): Promise<{ branch: Branch; origin: Origin }> {
    await this.#inTurn(async () => this.gateway.close())
    this.#observer.end()
    await this.#spares.close()
    for (const name of this.#snapshots.keys()) await this.#drop(name)
    await this.#root.release()
    await this.#origin.release()
    return { branch: this.#branch, origin: this.#origin }
  }

  #begin(name: string): void {
    this.gateway.beginPhase(name)
    this.#isInTest = name !== hooksLabel
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action)
    this.#turn = result.catch(() => {})
    return result
  }

  /** @returns the old branch if it is kept. */
  async #moveTo(
    origin: Origin,
    { quiet, keep }: { quiet: Quiet<Seen>; keep: boolean },
  ): Promise<Surrendered | undefined> {
    const spare = this.#spares.take(origin)
    const branch = spare?.branch ?? (await origin.pool.lease({ keepsControl: this.#keepsControl })).branch
    quiet.resume(spare?.prepared ?? createTarget(branch))
    const old = { branch: this.#branch, origin: this.#origin }
    this.#observer.end()
    this.#branch = branch
    this.#origin = origin
    origin.retain()
    const kept = keep ? old.origin.pool.surrender(old.branch) : undefined
    if (!keep) old.origin.pool.release(old.branch)
    await old.origin.release()
    // Where tests have no connection of ours open, nothing is done ahead for them.
    if (branch.control !== undefined) this.#spares.want(origin)
    return kept
  }

  /**
   * While nothing has been written, the present state is that of what it was forked from; where each
   * fork differs (`onFork`), only if that will do. Nobody is disturbed: where others must not be
   * connected, it fails if one cannot leave.
   */
  async #save({ isExact }: { isExact: boolean }): Promise<Origin> {
    const quiet = await this.#quiesce({ isForced: false })
    try {
      if (this.#isPristine(quiet) && (!isExact || this.#origin.isConstant)) {
        this.#origin.retain()
        return this.#origin
      }
      // Either nobody need wait, or everyone leaves and comes back to the same branch.
      if (this.#origin.liveSnapshots) quiet.resume()
      else quiet.park({ isUrgent: true })
      return await this.#origin.snapshot(this.#branch)
    } finally {
      quiet.resume()
    }
  }

  #quiesce({ isForced }: { isForced: boolean }): Promise<Quiet<Seen>> {
    return this.gateway.quiesce({
      isForced,
      look: () => this.#observer.look(this.#branch, { gateway: this.gateway, origin: this.#origin }),
    })
  }

  #isPristine({ seen }: Quiet<Seen>): boolean {
    const { baseline } = this.#branch
    if (baseline === undefined || this.gateway.usage.isAbandoned) return false
    if (!this.gateway.usage.hasBeenUsed) return true
    return seen?.lsn === baseline.lsn && !seen.hasUntraced && baseline.areSettingsUntouched()
  }

  #getSnapshot(name: string): Origin {
    const origin = this.#snapshots.get(name)
    if (origin !== undefined) return origin
    const known = [...this.#snapshots.keys()].filter((other) => !isInternalSnapshot(other))
    throw new PgBranchError(`there is no snapshot ${JSON.stringify(name)} of this branch`, {
      code: 'PGB_SNAPSHOT_UNKNOWN',
      hint: known.length === 0 ? 'None has been taken.' : `Taken were: ${known.join(', ')}.`,
    })
  }

  async #drop(name: string): Promise<void> {
    const origin = this.#snapshots.get(name)
    this.#snapshots.delete(name)
    await origin?.release().catch((error: unknown) => log('snapshot %s stays: %O', name, error))
  }
}

export interface WorkspaceOptions extends Omit<GatewayOptions, 'target'> {
  origin: Origin
  /** See `ForkOptions`. */
  keepsControl: boolean
}

export async function openWorkspace(
  branch: Branch,
  { origin, keepsControl, ...options }: WorkspaceOptions,
): Promise<Workspace> {
  const gateway = await openGateway({ target: createTarget(branch), ...options })
  return new Workspace({ gateway, branch, origin, keepsControl })
}
