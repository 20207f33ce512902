import { dirname, join } from 'node:path'
import leven from 'leven'
import { createExpiryTimer } from '../branch/expiry-timer.ts'
import { createPsqlLine } from '../branch/kept.ts'
import type { Origin } from '../branch/origin.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { removeTrees } from '../lib/remove-tree.ts'
import { isInternalSnapshot } from '../protocol/labels.ts'
import type { BranchAccess, BranchInfo } from '../protocol/named-protocol.ts'
import { createBranchVariables } from '../url/variables.ts'
import { namedWords } from './gateway-words.ts'
import type { Leases, MovingLease } from './leases.ts'
import type { ReadyProject } from './project.ts'

const log = createLog('branch')

/** A branch that somebody asked for by name. */
export interface NamedBranch {
  name: string
  baseDir: string
  from: string
  labels: Record<string, string>
  createdAt: number
  /** Infinity: never. */
  expiresAt: number
  lease: MovingLease
}

type NewBranch = Omit<NamedBranch, 'baseDir' | 'createdAt' | 'lease'> & {
  openOrigin(): Promise<Origin>
}

/**
 * All branches with a name, each project's apart. One is *being made* → *there* → *gone*: by `remove`,
 * when its time is over, or when the supervisor ends, which none of them outlives.
 */
export class NamedBranches {
  readonly #leases: Leases
  readonly #branches = new Map<string, Promise<NamedBranch>>()
  /** Those that are there. */
  readonly #there = new Map<string, NamedBranch>()
  readonly #timer = createExpiryTimer(() => this.#expire())

  constructor(leases: Leases) {
    this.#leases = leases
  }

  get size(): number {
    return this.#branches.size
  }

  list(baseDir?: string): NamedBranch[] {
    const branches = [...this.#there.values()].filter((branch) => baseDir === undefined || branch.baseDir === baseDir)
    return branches.toSorted((a, b) => a.baseDir.localeCompare(b.baseDir) || a.name.localeCompare(b.name))
  }

  /** @returns the branch, once it is made; undefined if nobody has asked for one of that name. */
  find(baseDir: string, name: string): Promise<NamedBranch> | undefined {
    return this.#branches.get(createKey(baseDir, name))
  }

  /** @throws PgBranchError `PGB_BRANCH_UNKNOWN`. */
  async get(baseDir: string, name: string): Promise<NamedBranch> {
    const branch = await this.find(baseDir, name)
    if (branch !== undefined) return branch
    const names = this.list(baseDir).map((other) => other.name)
    const near = names.filter((other) => leven(other, name) <= 2)
    const others = names.length === 0 ? 'There is none.' : `There are: ${names.slice(0, 10).join(', ')}.`
    throw new PgBranchError(`there is no branch ${JSON.stringify(name)} of ${baseDir}`, {
      code: 'PGB_BRANCH_UNKNOWN',
      hint:
        near.length > 0
          ? `Did you mean ${near.join(' or ')}?`
          : `${others} Make it with: pg-branch branch create ${name}`,
    })
  }

  /** Makes a branch; one of that name must not be there. */
  create(project: ReadyProject, options: NewBranch): Promise<NamedBranch> {
    const key = createKey(project.plan.config.baseDir, options.name)
    const making = this.#make(project, options)
    // At once: whoever asks for the same name from now on waits for this one.
    this.#branches.set(key, making)
    making.catch(() => this.#branches.delete(key))
    return making
  }

  async #make(project: ReadyProject, { openOrigin, ...rest }: NewBranch): Promise<NamedBranch> {
    const { baseDir } = project.plan.config
    const origin = await openOrigin()
    try {
      const tenant = { holder: `branch ${rest.name}`, runId: undefined, words: namedWords, keepsControl: false }
      const lease = await this.#leases.openMoving(project, tenant, origin)
      const branch = { ...rest, baseDir, createdAt: Date.now(), lease }
      this.#there.set(createKey(baseDir, rest.name), branch)
      this.#schedule()
      return branch
    } finally {
      await origin.release()
    }
  }

  /** @param expiresAt Infinity: never. */
  renew(branch: NamedBranch, expiresAt: number): void {
    branch.expiresAt = expiresAt
    this.#schedule()
  }

  async remove(branch: NamedBranch): Promise<void> {
    const key = createKey(branch.baseDir, branch.name)
    if (this.#there.get(key) !== branch) return
    this.#there.delete(key)
    this.#branches.delete(key)
    await removeTrees([getPasswordDir(branch)])
    await this.#leases.close(branch.lease.id, { orderly: false })
  }

  async removeAll(): Promise<void> {
    this.#timer.stop()
    await Promise.allSettled(this.#branches.values())
    for (const branch of this.list()) await this.remove(branch)
  }

  #schedule(): void {
    this.#timer.set(this.list().map(({ expiresAt }) => expiresAt))
  }

  async #expire(): Promise<void> {
    const now = Date.now()
    for (const branch of this.list().filter(({ expiresAt }) => expiresAt <= now)) {
      log('branch %s of %s: its time is over', branch.name, branch.baseDir)
      await this.remove(branch).catch((error: unknown) => log('branch %s: %O', branch.name, error))
    }
    this.#schedule()
  }
}

function createKey(baseDir: string, name: string): string {
  return JSON.stringify([baseDir, name])
}

export function describeBranch(branch: NamedBranch): BranchInfo {
  const { name, baseDir, from, labels, createdAt, expiresAt, lease } = branch
  const { workspace } = lease
  return {
    name,
    baseDir,
    from,
    template: lease.templateKey,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: Number.isFinite(expiresAt) ? new Date(expiresAt).toISOString() : undefined,
    labels,
    snapshots: workspace.snapshotNames.filter((snapshot) => !isInternalSnapshot(snapshot)),
    connections: workspace.gateway.connections.length,
  }
}

export function describeAccess(branch: NamedBranch): BranchAccess {
  const { lease } = branch
  return {
    ...describeBranch(branch),
    variables: createBranchVariables(lease.project.plan.variables, lease.address),
    psqlLine: createPsqlLine({ ...lease.address, dir: getPasswordDir(branch) }),
  }
}

/** Beside the branches, of which one follows the other: it goes with the supervisor's directory at the latest. */
function getPasswordDir({ lease }: NamedBranch): string {
  return join(dirname(lease.workspace.branch.dir), `named-${lease.id}`)
}
