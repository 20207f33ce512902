import { withFork } from '../branch/origin.ts'
import { compareTables } from '../diff/compare-databases.ts'
import { PgBranchError } from '../lib/errors.ts'
import type { LeaseAnswer, SupervisorFunctions } from '../protocol/protocol.ts'
import { testWords } from './gateway-words.ts'
import { describeLease } from './lease-answer.ts'
import type { Leases, MovingLease } from './leases.ts'

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
  const find = (leaseId: string): MovingLease => {
    requireHeld(leaseId)
    const lease = leases.get(leaseId)
    if (lease.kind === 'moving') return lease
    throw new PgBranchError('this branch has no gateway in front of it', {
      code: 'PGB_SCOPE',
      hint: "Snapshots, forks, diffs and the log of statements need `scope: 'test'` in the environment's options.",
    })
  }
  return {
    async reset({ leaseId, next, to, failed }) {
      const { workspace, project, runId } = find(leaseId)
      const keep = failed !== undefined && project.plan.config.keep.max > 0
      const { rung, leftOver, kept } = await workspace.reset({ next, to, keep })
      if (runId !== undefined) leases.runs.addReset(runId, project, rung)
      const answer = kept === undefined ? {} : await leases.keep(kept, { project, reason: failed ?? '', runId })
      return { rung, leftOver, ...answer }
    },
    snapshot: ({ leaseId, name, next }) => find(leaseId).workspace.snapshot(name, next),
    dropSnapshot: ({ leaseId, name }) => find(leaseId).workspace.dropSnapshot(name),
    async fork({ leaseId, holder, from }): Promise<LeaseAnswer> {
      const { workspace, project, runId } = find(leaseId)
      const origin = await workspace.getOrigin(from)
      try {
        const child = await leases.openMoving(project, { holder, runId, words: testWords, keepsControl: true }, origin)
        onOpen(child.id)
        return describeLease(child, [])
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
