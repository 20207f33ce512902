import { availableParallelism } from 'node:os'
import { createLog } from '../lib/log.ts'
import type { Branch, BranchSource, BranchStrategy } from './contract.ts'
import { Pool, type BranchPool } from './pool.ts'

const log = createLog('branch')

/** What branches are forked from, a template or a snapshot, with those that are made ahead. */
export interface Origin {
  readonly pool: BranchPool
  /** Names the template that it is, or comes from. */
  readonly templateKey: string
  /** Whether all branches of it begin equal: `onFork` may make each another. */
  readonly isConstant: boolean
  /** What a snapshot of a branch needs: nobody connected to it, unless this says that it may be live. */
  readonly liveSnapshots: boolean
  /** @returns an origin with one user. @throws PgBranchError `PGB_SNAPSHOT`. */
  snapshot(branch: Branch): Promise<Origin>
  /** One more uses it. */
  retain(): void
  /** One less: with the last one a snapshot is gone. Branches of it live on. */
  release(): Promise<void>
}

export function createOrigin<Source extends BranchSource, Handle extends Branch>(options: {
  strategy: BranchStrategy<Source, Handle>
  source: Source
  /** Branches kept ready. */
  size: number
  /** Default: the source is that template. */
  templateKey?: string
  /** Whether the first branches that are made ahead keep a connection of ours, see `ForkOptions`. */
  keepsControl?: boolean
}): Origin {
  const { strategy, source, size, templateKey = source.key, keepsControl = false } = options
  const parallelForks = countParallelForks()
  const { isSnapshot = false } = source
  const pool = new Pool({ strategy, source, size, parallelForks, keepsControl })
  let users = 1
  return {
    pool,
    templateKey,
    isConstant: isSnapshot || !strategy.capabilities.varies,
    liveSnapshots: strategy.capabilities.liveSnapshots,
    async snapshot(branch) {
      const saved = await pool.snapshot(branch)
      // Whoever saves a state comes back to it, one branch after the other.
      const origin = createOrigin({
        ...options,
        source: saved,
        templateKey,
        size: Math.min(size, 1),
        keepsControl: branch.control !== undefined,
      })
      origin.pool.warm()
      return origin
    },
    retain() {
      users += 1
    },
    async release() {
      users -= 1
      // Templates are somebody else's to remove.
      if (users > 0 || !isSnapshot) return
      await pool.drain()
      // Nobody who returns a branch can do anything about it; the reaper tries again.
      await strategy.forget(source).catch((error: unknown) => log('snapshot %s stays: %O', source.key, error))
    },
  }
}

/** Every core is wanted by the tests: more at the same time only makes each one later. */
function countParallelForks(): number {
  return Math.max(1, Math.min(3, availableParallelism()))
}

/** Runs `action` with a branch of an origin, of which the caller is a user; then neither is held any more. */
export async function withFork<T>(origin: Origin, action: (branch: Branch) => Promise<T>): Promise<T> {
  try {
    const { branch } = await origin.pool.lease()
    try {
      return await action(branch)
    } finally {
      origin.pool.release(branch)
    }
  } finally {
    await origin.release()
  }
}
