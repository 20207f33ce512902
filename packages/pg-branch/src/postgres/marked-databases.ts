import { createHash } from 'node:crypto'
import type pg from 'pg'
import { createRandomHex } from '../lib/hash.ts'
import { PgBranchError, getErrorCode } from '../lib/errors.ts'

export type MarkedKind = 'branch' | 'build'

/** A database that we made: the name alone tells, so that there is no moment in which it does not. */
export interface MarkedName {
  kind: MarkedKind
  /** Eight hexadecimal digits; its advisory lock is this number. */
  id: string
  name: string
}

/** @returns e.g. `pgb_branch_0123abcd_5f3c9a17`: the last part proves that the name was made here. */
export function createMarkedName(kind: MarkedKind, id: string = createRandomHex(4)): MarkedName {
  const proof = createHash('sha256').update(`pg-branch ${kind} ${id}`).digest('hex').slice(0, 8)
  return { kind, id, name: `pgb_${kind}_${id}_${proof}` }
}

/** @returns undefined for every name that we did not make. */
export function parseMarkedName(name: string): MarkedName | undefined {
  const [, kind, id] = /^pgb_(branch|build)_([0-9a-f]{8})_[0-9a-f]{8}$/.exec(name) ?? []
  if (kind === undefined || id === undefined) return undefined
  const marked = createMarkedName(kind as MarkedKind, id)
  return marked.name === name ? marked : undefined
}

/** @returns the signed 32 bits of an id, as advisory locks have them. */
export function getLockId(id: string): number {
  return Number.parseInt(id, 16) | 0
}

/**
 * Drops databases of ours, whoever is connected: first nobody may come in any more, superusers included,
 * so that a pool that reconnects at once does not win the race. (A build is a template a moment before it
 * is published, and templates cannot be dropped.)
 *
 * @throws PgBranchError `PGB_INTERNAL` for a name that is not ours; nothing is dropped then.
 */
export async function dropMarked(client: pg.Client | pg.PoolClient, names: string[]): Promise<void> {
  const foreign = names.find((name) => parseMarkedName(name) === undefined)
  if (foreign !== undefined) throw new PgBranchError(`${foreign} is not a database of ours`, { code: 'PGB_INTERNAL' })
  for (const name of names) {
    try {
      await client.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE false`)
    } catch (error) {
      const code = getErrorCode(error)
      if (code === noSuchDatabase) continue
      if (code !== invalidDatabase) throw error
    }
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
}

/** SQLSTATE object_not_in_prerequisite_state: dropping it was begun before, by somebody else or by a server that was killed. */
const invalidDatabase = '55000'
/** SQLSTATE invalid_catalog_name. */
const noSuchDatabase = '3D000'
