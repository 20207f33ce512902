import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError } from '../../lib/errors.ts'
import type { AdvisoryLocks } from '../../postgres/advisory-locks.ts'

/** Holds back leases when there is no room for what their holders will do. */
export interface LeaseGate {
  /** @returns what to call when the lease has ended. @throws PgBranchError when there is no room in time. */
  enter(holder: string): Promise<() => Promise<void>>
}

const retryMs = 100

/**
 * Keeps the connections of all leased branches of a server, on all machines, below what it allows: as
 * many slots as there is room for, each an advisory lock, and a lease holds one.
 */
export function createConnectionSlots(options: {
  locks: AdvisoryLocks
  label: string
  /** Connections that are free for branches. */
  freeConnections: number
  connectionsPerBranch: number
  waitMs: number
}): LeaseGate {
  const { locks, label, freeConnections, connectionsPerBranch, waitMs } = options
  const count = Math.max(1, Math.floor(freeConnections / connectionsPerBranch))
  const slots = Array.from({ length: count }, (_, index) => index)
  const holders = new Map<number, string>()
  let queue: Promise<unknown> = Promise.resolve()

  const take = async (holder: string): Promise<number> => {
    const deadline = performance.now() + waitMs
    for (;;) {
      const slot = await locks.tryLockOne('slot', slots)
      if (slot !== undefined) return slot
      if (performance.now() > deadline) throw await createError(holder)
      await sleep(retryMs)
    }
  }

  const createError = async (holder: string): Promise<PgBranchError> => {
    const machines = new Map<string, number>()
    for (const other of await locks.listHolders('slot'))
      machines.set(other.holder, (machines.get(other.holder) ?? 0) + 1)
    const lines = [
      ...[...machines].map(([name, held]) => `${name}: ${held}`),
      ...[...holders.values()].map((name) => `  here: ${name}`),
    ]
    return new PgBranchError(
      `no room for a branch for ${holder} on ${label}: of ${freeConnections} free connections, ${count} branches may use ${connectionsPerBranch} each, and all are leased:\n${lines.map((line) => `  - ${line}`).join('\n')}`,
      {
        code: 'PGB_TOO_MANY_CONNECTIONS',
        hint: 'Lower `pool.connectionsPerBranch` to what a test file really opens, run fewer workers, or raise max_connections of the server.',
      },
    )
  }

  return {
    async enter(holder) {
      // One after the other, so that whoever came first is served first.
      const turn = queue.then(() => take(holder))
      queue = turn.catch(() => {})
      const slot = await turn
      holders.set(slot, holder)
      return async () => {
        holders.delete(slot)
        await locks.unlock('slot', slot)
      }
    },
  }
}
