import { findConfig } from '../config/find.ts'
import { compareDatabases } from '../diff/compare-databases.ts'
import { PgBranchError } from '../lib/errors.ts'
import type { BranchRef, NamedBranchFunctions, ProjectRef } from '../protocol/named-protocol.ts'
import type { ProjectRequest } from '../protocol/protocol.ts'
import { describeAccess, describeBranch, type NamedBranch, type NamedBranches } from './named-branches.ts'
import { takeNotices, type ReadyProject } from './project.ts'
import { checkName, openState, withState } from './states.ts'

const defaultTtlMs = 24 * 3_600_000

/** What people do with branches that they name: these are nobody's lease. */
export function serveNamed({
  branches,
  prepare,
}: {
  branches: NamedBranches
  /** Brings a project up to date, its template built if need be. */
  prepare(request: ProjectRequest): Promise<ReadyProject>
}): NamedBranchFunctions {
  const get = async (ref: BranchRef): Promise<NamedBranch> =>
    branches.get(await findBaseDir(ref), checkName(ref.name, 'branch'))
  return {
    async createBranch({ name, ttlMs, labels, from, ...request }) {
      checkName(name, 'branch')
      const project = await prepare(request)
      const there = branches.find(project.plan.config.baseDir, name)
      if (there !== undefined) {
        const known = await there
        const notices = explainReuse(known, { project, from })
        const expiresAt = ttlMs === undefined ? known.expiresAt : getExpiry(ttlMs)
        // Whoever made it may count on its time.
        if (expiresAt >= known.expiresAt) branches.renew(known, expiresAt)
        else notices.push(`the branch ${name} keeps its time, which is longer; to end it: pg-branch branch rm ${name}`)
        Object.assign(known.labels, labels)
        return { ...describeAccess(known), created: false, notices: [...takeNotices(project), ...notices] }
      }
      const state = from ?? 'template'
      const made = await branches.create(project, {
        name,
        labels,
        from: state,
        expiresAt: getExpiry(ttlMs === undefined ? defaultTtlMs : ttlMs),
        openOrigin: () => openState(state, { project, branches }),
      })
      return { ...describeAccess(made), created: true, notices: takeNotices(project) }
    },
    async listBranches({ project }) {
      const baseDir = project === undefined ? undefined : await findBaseDir(project)
      return branches.list(baseDir).map(describeBranch)
    },
    getBranch: async (ref) => describeAccess(await get(ref)),
    async snapshotBranch({ snapshot, ...ref }) {
      checkName(snapshot, 'snapshot')
      const { workspace } = (await get(ref)).lease
      await workspace.snapshot(snapshot)
    },
    async restoreBranch({ snapshot, ...ref }) {
      const { workspace } = (await get(ref)).lease
      const { leftOver } = await workspace.reset({ to: snapshot, keep: false })
      return { closed: leftOver.length }
    },
    async diffStates({ before, after, samples, ...request }) {
      const project = await prepare(request)
      const context = { project, branches }
      return withState(before, context, (left) =>
        withState(after, context, (right) =>
          compareDatabases({ before: left, after: right, databases: project.plan.config.databases, samples }),
        ),
      )
    },
    async removeBranch(ref) {
      await branches.remove(await get(ref))
    },
  }
}

function getExpiry(ttlMs: number | null): number {
  return ttlMs === null ? Number.POSITIVE_INFINITY : Date.now() + ttlMs
}

async function findBaseDir({ rootDir, config }: ProjectRef): Promise<string> {
  const { baseDir } = await findConfig(rootDir, config)
  return baseDir
}

/** @returns what whoever asked for a branch should know about the one that was there. */
function explainReuse(
  known: NamedBranch,
  { project, from }: { project: ReadyProject; from: string | undefined },
): string[] {
  const { name } = known
  if (from !== undefined && from !== known.from) {
    throw new PgBranchError(`the branch ${name} is there already, made from ${known.from}`, {
      code: 'PGB_ARGUMENT',
      hint: `Choose another name, or remove it first: pg-branch branch rm ${name}`,
    })
  }
  if (known.from !== 'template' || known.lease.templateKey === project.templateKey) return []
  return [
    `the seed has changed since the branch ${name} was made; for a fresh one: pg-branch branch rm ${name}, and create it again`,
  ]
}
