import { withFork } from '../branch/origin.ts'
import { compareTables } from '../diff/compare-databases.ts'
import { PgBranchError } from '../lib/errors.ts'
import type { LeaseAnswer, SupervisorFunctions } from '../protocol/protocol.ts'
import { createBranchVariables } from '../url/variables.ts'
import type { Lease, Leases } from './leases.ts'
import type { Workspace } from './workspace.ts'

type WorkspaceFunctions = Pick<
  SupervisorFunctions,
  'reset' | 'snapshot' | 'dropSnapshot' | 'fork' | 'diff' | 'getActivity'
>

/** What clients do with the branches that they hold. */
export function serveWorkspace({
  leases,
  requireHeld,
  onOpen,
}: {
  leases: Leases
  /** Throws unless the client holds this lease. */
  requireHeld(leaseId: string): void
  onOpen(leaseId: string): void
}): WorkspaceFunctions {
  const find = (leaseId: string): { lease: Lease; workspace: Workspace } => {
    requireHeld(leaseId)
    const lease = leases.get(leaseId)
    if (lease.workspace !== undefined) return { lease, workspace: lease.workspace }
    throw new PgBranchError('this branch has no gateway in front of it', {
      code: 'PGB_SCOPE',
      hint: "Snapshots, forks, diffs and the log of statements need `scope: 'test'` in the environment's options.",
    })
  }
  return {
    async reset({ leaseId, next, to, failed }) {
      const { lease, workspace } = find(leaseId)
      const { project } = lease
      const { runId } = lease.request
      const keep = failed !== undefined && project.plan.config.keep.max > 0
      const { rung, leftOver, kept } = await workspace.reset({ next, to, keep })
      leases.runs.addReset(runId, project, rung)
      const answer = kept === undefined ? {} : await leases.keep(kept, { project, reason: failed ?? '', runId })
      return { rung, leftOver, ...answer }
    },
    snapshot: ({ leaseId, name, next }) => find(leaseId).workspace.snapshot(name, next),
    dropSnapshot: ({ leaseId, name }) => find(leaseId).workspace.dropSnapshot(name),
    async fork({ leaseId, holder, from }): Promise<LeaseAnswer> {
      const { lease, workspace } = find(leaseId)
      const { project, request } = lease
      const origin = await workspace.getOrigin(from)
      try {
        const child = await leases.open(project, { ...request, scope: 'test', holder }, origin)
        onOpen(child.id)
        const variables = createBranchVariables(project.plan.variables, child.address)
        return { leaseId: child.id, branchId: child.branch.id, variables, notices: [], warm: child.warm }
      } finally {
        await origin.release()
      }
    },
    async diff({ leaseId }) {
      const { workspace } = find(leaseId)
      return withFork(workspace.retainOrigin(), (before) =>
        compareTables({ before: before.admin, after: workspace.branch.admin }),
      )
    },
    async getActivity({ leaseId }) {
      const { gateway } = find(leaseId).workspace
      await gateway.settleStrangers()
      return { statements: [...gateway.statements], connections: gateway.connections }
    },
  }
}
