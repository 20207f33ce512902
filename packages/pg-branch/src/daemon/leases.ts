import type { Branch } from '../branch/contract.ts'
import { KeptBranches, createPsqlLine } from '../branch/kept.ts'
import type { Origin } from '../branch/origin.ts'
import type { Surrendered } from '../branch/pool.ts'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import type { LeaseRequest, ReleaseAnswer } from '../protocol/protocol.ts'
import { namedWords, testWords } from './gateway-words.ts'
import type { ReadyProject } from './project.ts'
import { Runs } from './runs.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

const log = createLog('lease')

/** A branch, where it goes back to, and how the gate is left then. */
interface Held {
  branch: Branch
  origin: Origin
  leave(): Promise<void>
}

/**
 * One holder's exclusive right to one branch; with a workspace, to one after the other. Ends by `release`,
 * at the latest when the holder's socket closes.
 */
export interface Lease extends Held {
  id: string
  /** What the holder connects to. */
  address: DatabaseAddress
  project: ReadyProject
  request: Pick<LeaseRequest, 'holder' | 'runId'> & { scope: LeaseRequest['scope'] | 'named' }
  warm: boolean
  workspace: Workspace | undefined
}

/** A branch on its way from one holder of a run to the next (scope `worker`). */
interface Handover extends Held {
  project: ReadyProject
  runId: string
  timer: NodeJS.Timeout
}

/** A runner starts the next worker within this time of the last; after it the branch is not handed on any more. */
const handoverMs = 2_000
const sampleSize = 1_000

/** All leases of a supervisor. */
export class Leases {
  readonly kept: KeptBranches = new KeptBranches()
  readonly runs: Runs = new Runs()
  readonly #leases = new Map<string, Lease>()
  readonly #handovers = new Set<Handover>()
  readonly #durations = new Map<ReadyProject, number[]>()

  countOf(project: ReadyProject): number {
    return [...this.#leases.values()].filter((lease) => lease.project === project).length
  }

  /** @returns the holders of branches of a template, and what kept ones are kept for. */
  listUsers(templateKey: string): string[] {
    const holders = [...this.#leases.values()]
      .filter(({ origin }) => origin.templateKey === templateKey)
      .map(({ request }) => request.holder)
    const kept = this.kept.list.filter((branch) => branch.templateKey === templateKey)
    return [...holders, ...kept.map(({ reason }) => `kept: ${reason}`)]
  }

  /** Milliseconds that the last leases of a project took. */
  getDurations(project: ReadyProject): number[] {
    return this.#durations.get(project) ?? []
  }

  /** @param from what to fork from; default: the project's template. */
  async open(project: ReadyProject, request: Lease['request'], from: Origin = project.origin): Promise<Lease> {
    const startedAt = performance.now()
    const keepsControl = request.scope === 'test'
    const handover = request.scope === 'worker' ? this.#takeHandover(project, request.runId) : undefined
    const { warm, ...held } =
      handover === undefined ? await lease(project, { ...request, keepsControl }, from) : { ...handover, warm: true }
    const { branch, origin, leave } = held
    const workspace =
      request.scope === 'test' || request.scope === 'named'
        ? await openWorkspace(branch, {
            origin,
            maxConnections: project.connectionsPerBranch,
            maxPendingLogins: project.plan.config.gateway.maxPendingLogins,
            keepsControl,
            words: request.scope === 'test' ? testWords : namedWords,
          }).catch(async (error: unknown) => {
            await giveBack(held)
            throw error
          })
        : undefined
    const address = workspace?.gateway.address ?? branch
    const opened: Lease = { id: createRandomHex(8), branch, origin, leave, address, project, request, warm, workspace }
    this.#leases.set(opened.id, opened)
    const durations = this.getDurations(project)
    const durationMs = performance.now() - startedAt
    durations.push(durationMs)
    this.runs.addLease(request.runId, project, { durationMs, warm })
    this.#durations.set(project, durations.slice(-sampleSize))
    log('%s leased to %s (%s)', branch.id, request.holder, warm ? 'warm' : 'cold')
    return opened
  }

  /** @throws PgBranchError `PGB_LEASE` for a lease that has ended. */
  get(leaseId: string): Lease {
    const lease = this.#leases.get(leaseId)
    if (lease !== undefined) return lease
    throw new PgBranchError('this branch has been returned', {
      code: 'PGB_LEASE',
      hint: 'Something uses it after its test file has ended: await all that the tests begin.',
    })
  }

  /** Ends a lease; unknown ones have ended before. */
  async close(
    leaseId: string,
    { failed, orderly }: { failed?: string | undefined; orderly: boolean },
  ): Promise<ReleaseAnswer> {
    const lease = this.#leases.get(leaseId)
    if (lease === undefined) return {}
    this.#leases.delete(leaseId)
    const { project, request, leave } = lease
    const { branch, origin } = (await lease.workspace?.close()) ?? lease
    log('%s returned by %s', branch.id, request.holder)
    if (failed !== undefined && project.plan.config.keep.max > 0) {
      const surrendered = origin.pool.surrender(branch)
      await leaveGate(leave)
      return this.keep(surrendered, { project, reason: failed, runId: request.runId })
    }
    if (request.scope === 'worker' && orderly) this.#offerHandover(lease)
    else await giveBack({ branch, origin, leave })
    return {}
  }

  /** Takes a branch that no pool looks after any more, so that somebody can look at it. */
  async keep(
    surrendered: Surrendered,
    { project, reason, runId }: { project: ReadyProject; reason: string; runId: string },
  ): Promise<ReleaseAnswer> {
    const { max, forMs } = project.plan.config.keep
    const psqlLine = createPsqlLine(surrendered.branch)
    this.runs.addKept(runId, project, { reason, psqlLine, forMs })
    await this.kept.add(
      { ...surrendered, templateKey: project.templateKey, reason, expiresAt: Date.now() + forMs },
      max,
    )
    return { psqlLine, keptForMs: forMs }
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

  #offerHandover({ branch, origin, leave, project, request }: Lease): void {
    const timer = setTimeout(() => this.#dropHandover(handover), handoverMs)
    const handover: Handover = { branch, origin, leave, project, runId: request.runId, timer }
    this.#handovers.add(handover)
  }

  #dropHandover(handover: Handover): void {
    clearTimeout(handover.timer)
    if (this.#handovers.delete(handover)) void giveBack(handover)
  }
}

async function lease(
  { gate }: ReadyProject,
  { holder, keepsControl }: { holder: string; keepsControl: boolean },
  origin: Origin,
): Promise<Held & { warm: boolean }> {
  const leave = (await gate?.enter(holder)) ?? (async () => {})
  try {
    const { branch, warm } = await origin.pool.lease({ keepsControl })
    return { branch, origin, leave, warm }
  } catch (error) {
    await leaveGate(leave)
    throw error
  }
}

async function giveBack({ branch, origin, leave }: Held): Promise<void> {
  origin.pool.release(branch)
  await leaveGate(leave)
}

async function leaveGate(leave: () => Promise<void>): Promise<void> {
  await leave().catch((error: unknown) => log('a gate was not left: %O', error))
}
