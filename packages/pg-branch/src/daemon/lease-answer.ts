import type { LeaseAnswer } from '../protocol/protocol.ts'
import { createBranchVariables } from '../url/variables.ts'
import { getBranch, type Lease } from './leases.ts'

/** @returns what a client is told of the lease that it has got. */
export function describeLease(lease: Lease, notices: string[]): LeaseAnswer {
  return {
    leaseId: lease.id,
    branchId: getBranch(lease).id,
    variables: createBranchVariables(lease.project.plan.variables, lease.address),
    notices,
    warm: lease.warm,
  }
}
