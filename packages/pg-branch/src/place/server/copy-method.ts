import type pg from 'pg'
import { describeError } from '../../lib/errors.ts'
import { createLog } from '../../lib/log.ts'
import type { SharedServer } from '../../postgres/shared-server.ts'

const log = createLog('branch')

/** Below this, writing the copy to the WAL is cheaper than the two checkpoints of a file copy. */
const smallBytes = 32 * 1024 * 1024

/** How a server copies a database: `clone` shares blocks, and is a file copy with a setting. */
export type CopyMethod = 'clone' | 'FILE_COPY' | 'WAL_LOG'

/**
 * @returns the cheapest way of a server to copy a database of `bytes`. Whether the data directory can share blocks
 * is only known by trying: `trial` copies and drops.
 */
export async function chooseCopyMethod(
  { bytes }: { bytes: number },
  { server, trial }: { server: SharedServer; trial(method: CopyMethod): Promise<void> },
): Promise<CopyMethod> {
  const fallback = bytes < smallBytes ? 'WAL_LOG' : 'FILE_COPY'
  if (server.version < 18) return fallback
  try {
    await trial('clone')
    return 'clone'
  } catch (error) {
    log('no copy-on-write on %s: %s', server.label, describeError(error))
    return fallback
  }
}

export async function copyDatabase(
  client: pg.Client | pg.PoolClient,
  { from, to, method }: { from: string; to: string; method: CopyMethod },
): Promise<void> {
  if (method === 'clone') await client.query('SET file_copy_method = clone')
  const strategy = method === 'WAL_LOG' ? 'WAL_LOG' : 'FILE_COPY'
  await client.query(`CREATE DATABASE ${to} TEMPLATE ${from} STRATEGY ${strategy}`)
}
