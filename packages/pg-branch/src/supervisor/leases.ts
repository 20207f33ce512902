import { KeptBranches, createPsqlLine } from '../branch/kept.ts'
import type { Branch } from '../branch/contract.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import type { ReadyProject } from './project.ts'
import type { LeaseRequest, ReleaseAnswer } from './protocol.ts'

const log = createLog('lease')

/** One holder's exclusive right to one branch. Ends by `release`, at the latest when the holder's socket closes. */
export interface Lease {
  id: string
  branch: Branch
  project: ReadyProject
  request: LeaseRequest
  warm: boolean
}

/** A branch on its way from one holder of a run to the next (scope `worker`). */
interface Handover {
  branch: Branch
  project: ReadyProject
  runId: string
  timer: NodeJS.Timeout
}

/** A runner starts the next worker within this time of the last; after it the branch is not handed on any more. */
const handoverMs = 2_000
const sampleSize = 1_000

/** All leases of a supervisor. */
export class Leases {
  readonly kept: KeptBranches
  readonly #leases = new Map<string, Lease>()
  readonly #handovers = new Set<Handover>()
  readonly #durations = new Map<ReadyProject, number[]>()

  constructor() {
    this.kept = new KeptBranches({
      discard: async (branches) => {
        for (const branch of branches) await this.#keepers.get(branch)?.strategy.discard([branch])
      },
    })
  }

  readonly #keepers = new WeakMap<Branch, ReadyProject>()

  countOf(project: ReadyProject): number {
    return [...this.#leases.values()].filter((lease) => lease.project === project).length
  }

  /** Milliseconds that the last leases of a project took. */
  getDurations(project: ReadyProject): number[] {
    return this.#durations.get(project) ?? []
  }

  async open(project: ReadyProject, request: LeaseRequest): Promise<Lease> {
    const startedAt = performance.now()
    const handover = request.scope === 'worker' ? this.#takeHandover(project, request.runId) : undefined
    const { branch, warm } =
      handover === undefined ? await project.pool.lease(request.holder) : { branch: handover.branch, warm: true }
    const lease: Lease = { id: createRandomHex(8), branch, project, request, warm }
    this.#leases.set(lease.id, lease)
    const durations = this.getDurations(project)
    durations.push(performance.now() - startedAt)
    this.#durations.set(project, durations.slice(-sampleSize))
    log('%s leased to %s (%s)', branch.id, request.holder, warm ? 'warm' : 'cold')
    return lease
  }

  /** Ends a lease; unknown ones have ended before. */
  async close(
    leaseId: string,
    { failed, orderly }: { failed?: string | undefined; orderly: boolean },
  ): Promise<ReleaseAnswer> {
    const lease = this.#leases.get(leaseId)
    if (lease === undefined) return {}
    this.#leases.delete(leaseId)
    const { branch, project, request } = lease
    log('%s returned by %s', branch.id, request.holder)
    const { max, forMs } = project.plan.config.keep
    if (failed !== undefined && max > 0) {
      const psqlLine = createPsqlLine(branch)
      project.pool.surrender(branch)
      this.#keepers.set(branch, project)
      await this.kept.add({ branch, reason: failed, expiresAt: Date.now() + forMs }, max)
      return { psqlLine, keptForMs: forMs }
    }
    if (request.scope === 'worker' && orderly) this.#offerHandover(lease)
    else project.pool.release(branch)
    return {}
  }

  async closeAll(): Promise<void> {
    for (const handover of this.#handovers) this.#dropHandover(handover)
    for (const id of this.#leases.keys()) await this.close(id, { orderly: false })
    await this.kept.discardAll()
  }

  #takeHandover(project: ReadyProject, runId: string): Handover | undefined {
    const found = [...this.#handovers].find((item) => item.project === project && item.runId === runId)
    if (found === undefined) return undefined
    clearTimeout(found.timer)
    this.#handovers.delete(found)
    return found
  }

  #offerHandover({ branch, project, request }: Lease): void {
    const timer = setTimeout(() => this.#dropHandover(handover), handoverMs)
    const handover: Handover = { branch, project, runId: request.runId, timer }
    this.#handovers.add(handover)
  }

  #dropHandover(handover: Handover): void {
    clearTimeout(handover.timer)
    if (this.#handovers.delete(handover)) handover.project.pool.release(handover.branch)
  }
}
