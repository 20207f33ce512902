import { createPsqlLine } from '../branch/kept.ts'
import { packageVersion } from '../lib/version.ts'
import type { SupervisorStatus } from '../protocol/protocol.ts'
import type { Leases } from './leases.ts'
import type { NamedBranches } from './named-branches.ts'
import type { Project } from './project.ts'

type Holdings = Pick<SupervisorStatus, 'version' | 'pid' | 'projects' | 'branches' | 'kept'>

/** What a supervisor serves at this moment. */
export function describeHoldings({
  projects: all,
  leases,
  branches,
}: {
  projects: Iterable<Project>
  leases: Leases
  branches: NamedBranches
}): Holdings {
  const projects = [...all].flatMap((project) => {
    const { ready } = project
    if (ready === undefined) return []
    const { origin, build, postgres, volume, advice, rejected } = ready
    return [
      {
        rootDir: project.rootDir,
        template: ready.templateKey,
        ...build,
        volume,
        advice,
        postgres,
        rejected,
        pool: origin.pool.counts,
        leases: leases.countOf(ready),
        leaseMs: leases.getDurations(ready),
        forkMs: origin.pool.forkMs,
        removeMs: origin.pool.removeMs,
      },
    ]
  })
  const kept = leases.kept.list.map(({ branch, reason, expiresAt }) => ({
    branchId: branch.id,
    reason,
    expiresAt,
    psqlLine: createPsqlLine(branch),
  }))
  return {
    version: packageVersion,
    pid: process.pid,
    projects,
    branches: branches.list().map(({ baseDir, name }) => ({ baseDir, name })),
    kept,
  }
}
