import type { Branch } from '../branch/contract.ts'
import { KeptBranches, createPsqlLine } from '../branch/kept.ts'
import type { Origin } from '../branch/origin.ts'
import type { Surrendered } from '../branch/pool.ts'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import type { ReleaseAnswer } from '../protocol/protocol.ts'
import type { ReadyProject } from './project.ts'
import { Runs } from './runs.ts'
import { openWorkspace, type Workspace, type WorkspaceOptions } from './workspace.ts'

const log = createLog('lease')

/** A branch, where it goes back to, and how the gate is left then. */
interface Held {
  branch: Branch
  origin: Origin
  leave(): Promise<void>
}

interface LeaseBase {
  id: string
  holder: string
  /** The test run whose report it counts for; a named branch belongs to none. */
  runId: string | undefined
  /** What the holder connects to. */
  address: DatabaseAddress
  project: ReadyProject
  templateKey: string
  warm: boolean
}

/** One branch at its own address, with what it needs to go back. */
export interface FixedLease extends LeaseBase, Held {
  kind: 'fixed'
  /** Whether the next worker of the run gets it (scope `worker`). */
  isHandedOn: boolean
}

/** One address, a gateway's, with one branch after the other behind it. */
export interface MovingLease extends LeaseBase {
  kind: 'moving'
  workspace: Workspace
  leave(): Promise<void>
}

/** One holder's exclusive right to a branch. Ends by `close`, at the latest when the holder's socket closes. */
export type Lease = FixedLease | MovingLease

/** Who asks for a lease. */
interface Tenant {
  holder: string
  runId: string | undefined
}

/** A branch on its way from one holder of a run to the next (scope `worker`). */
interface Handover extends Held {
  project: ReadyProject
  runId: string | undefined
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
      .filter((lease) => lease.templateKey === templateKey)
      .map(({ holder }) => holder)
    const kept = this.kept.list.filter((branch) => branch.templateKey === templateKey)
    return [...holders, ...kept.map(({ reason }) => `kept: ${reason}`)]
  }

  /** Milliseconds that the last leases of a project took. */
  getDurations(project: ReadyProject): number[] {
    return this.#durations.get(project) ?? []
  }

  /** A branch of the project's template, at its own address; with `isHandedOn` the one of the run's last worker. */
  async openFixed(
    project: ReadyProject,
    { isHandedOn, ...tenant }: Tenant & { isHandedOn: boolean },
  ): Promise<FixedLease> {
    const startedAt = performance.now()
    const handover = isHandedOn ? this.#takeHandover(project, tenant.runId) : undefined
    const { branch, origin, leave, warm } =
      handover === undefined
        ? await lease(project.origin, { project, holder: tenant.holder, keepsControl: false })
        : { ...handover, warm: true }
    const { templateKey } = origin
    const base = { ...tenant, id: createRandomHex(8), address: branch, project, templateKey, warm }
    return this.#register({ ...base, kind: 'fixed', isHandedOn, branch, origin, leave }, startedAt)
  }

  /** @param from what to fork from; its user may forget it afterwards. */
  async openMoving(
    project: ReadyProject,
    { words, keepsControl, ...tenant }: Tenant & Pick<WorkspaceOptions, 'words' | 'keepsControl'>,
    from: Origin,
  ): Promise<MovingLease> {
    const startedAt = performance.now()
    const { branch, origin, leave, warm } = await lease(from, { project, holder: tenant.holder, keepsControl })
    const workspace = await openWorkspace(branch, {
      origin,
      maxConnections: project.connectionsPerBranch,
      maxPendingLogins: project.plan.config.gateway.maxPendingLogins,
      keepsControl,
      words,
    }).catch(async (error: unknown) => {
      await giveBack({ branch, origin, leave })
      throw error
    })
    const { address } = workspace.gateway
    const { templateKey } = origin
    const base = { ...tenant, id: createRandomHex(8), address, project, templateKey, warm }
    return this.#register({ ...base, kind: 'moving', workspace, leave }, startedAt)
  }

  #register<T extends Lease>(opened: T, startedAt: number): T {
    const { id, project, runId, holder, warm } = opened
    this.#leases.set(id, opened)
    const durationMs = performance.now() - startedAt
    this.#durations.set(project, [...this.getDurations(project), durationMs].slice(-sampleSize))
    if (runId !== undefined) this.runs.addLease(runId, project, { durationMs, warm })
    log('%s leased to %s (%s)', getBranch(opened).id, holder, warm ? 'warm' : 'cold')
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
    const { project, holder, runId, leave } = lease
    const { branch, origin } = lease.kind === 'moving' ? await lease.workspace.close() : lease
    log('%s returned by %s', branch.id, holder)
    if (failed !== undefined && project.plan.config.keep.max > 0) {
      const surrendered = origin.pool.surrender(branch)
      await leaveGate(leave)
      return this.keep(surrendered, { project, reason: failed, runId })
    }
    if (lease.kind === 'fixed' && lease.isHandedOn && orderly) this.#offerHandover(lease)
    else await giveBack({ branch, origin, leave })
    return {}
  }

  /** Takes a branch that no pool looks after any more, so that somebody can look at it. */
  async keep(
    surrendered: Surrendered,
    { project, reason, runId }: { project: ReadyProject; reason: string; runId: string | undefined },
  ): Promise<ReleaseAnswer> {
    const { max, forMs } = project.plan.config.keep
    const psqlLine = createPsqlLine(surrendered.branch)
    if (runId !== undefined) this.runs.addKept(runId, project, { reason, psqlLine, forMs })
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

  #takeHandover(project: ReadyProject, runId: string | undefined): Handover | undefined {
    const found = [...this.#handovers].find((item) => item.project === project && item.runId === runId)
    if (found === undefined) return undefined
    clearTimeout(found.timer)
    this.#handovers.delete(found)
    return found
  }

  #offerHandover({ branch, origin, leave, project, runId }: FixedLease): void {
    const timer = setTimeout(() => this.#dropHandover(handover), handoverMs)
    const handover: Handover = { branch, origin, leave, project, runId, timer }
    this.#handovers.add(handover)
  }

  #dropHandover(handover: Handover): void {
    clearTimeout(handover.timer)
    if (this.#handovers.delete(handover)) void giveBack(handover)
  }
}

/** The branch that a lease has now. */
export function getBranch(lease: Lease): Branch {
  return (lease.kind === 'moving' ? lease.workspace : lease).branch
}

async function lease(
  origin: Origin,
  { project, holder, keepsControl }: { project: ReadyProject; holder: string; keepsControl: boolean },
): Promise<Held & { warm: boolean }> {
  const leave = (await project.gate?.enter(holder)) ?? (async () => {})
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
