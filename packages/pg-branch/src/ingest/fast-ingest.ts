import type { Client } from 'pg'
import { PgBranchError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { makeWalMemory } from './wal-memory.ts'
import { isLinked, linkSegments, listLinks, parseLsn, removeAhead, type WalPosition } from './wal-segments.ts'

const log = createLog('ingest')

/** Links kept ahead of the write position: 512 MB with segments of 1 MB, far more than is written between two looks. */
const segmentsAhead = 512
const lookEveryMs = 100
/** So much WAL goes to memory at first: a small build loses nothing, and need not be checked. */
const segmentsInMemory = 256
/** Segments that sealing may still write after it was asked whether WAL was lost. */
const margin = 4

export interface IngestResult {
  /** WAL that was produced. */
  walBytes: number
  /** The part of it that met a real file, since Postgres got there before the link did. */
  walBytesOnDisk: number
  /** Whether some went to /dev/null: the cluster is then to be checked. */
  isLossy: boolean
}

/**
 * A server whose WAL goes to memory, and from some size on to /dev/null. States: *running* → *finished*
 * (by `finish`: WAL is real again and everything is on disk) or *aborted* (by `abort`: the data directory
 * is of no further use).
 *
 * While it runs a crash cannot be recovered from, so the server must have been started with
 * `createIngestSettings`, and be thrown away if it ends by itself.
 */
export interface FastIngest {
  /** @returns whether WAL has been lost, or may be until `finish`. */
  mayBeLossy(): Promise<boolean>
  finish(): Promise<IngestResult>
  abort(): void
}

/**
 * Lets a running server write its WAL into links that lead to memory and then to /dev/null, as far as it
 * ever gets.
 *
 * @param admin a connection of a superuser that lives as long; its queries are short.
 * @param memoryDir where the first WAL goes; undefined: all of it to /dev/null.
 */
export async function startFastIngest(options: {
  admin: Client
  dataDir: string
  memoryDir: string | undefined
}): Promise<FastIngest> {
  const { admin, dataDir, memoryDir } = options
  const first = await readPosition(admin)
  const memory = memoryDir === undefined ? undefined : makeWalMemory(memoryDir, segmentsInMemory)
  const targets = memory?.files ?? []
  const lastKept = first.segment + targets.length
  let linkedTo = first.segment
  let filesMet = 0
  const extend = async (position: WalPosition) => {
    const to = position.segment + segmentsAhead
    if (to <= linkedTo) return
    const from = { ...position, segment: linkedTo + 1 }
    filesMet += await linkSegments(dataDir, { from, to, targets: targets.slice(linkedTo - first.segment) })
    linkedTo = to
  }
  let looking = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const abort = () => {
    clearInterval(timer)
    memory?.remove()
  }
  try {
    // An earlier server may have made the next ones ready.
    await removeAhead(dataDir, first)
    await extend(first)
    // From here on nothing is written to a real file.
    await admin.query('SELECT pg_switch_wal()')
  } catch (error) {
    abort()
    throw error
  }
  timer = setInterval(() => {
    looking = looking
      .then(async () => extend(await readPosition(admin)))
      // A server that died is noticed by whoever started it.
      .catch((error: unknown) => log('could not look: %o', error))
  }, lookEveryMs)
  return {
    async mayBeLossy() {
      return (await readPosition(admin)).segment + margin > lastKept
    },
    async finish() {
      clearInterval(timer)
      await looking
      const last = await leaveLinks(admin, dataDir)
      await admin.query('CHECKPOINT')
      memory?.remove()
      const { segmentBytes } = first
      const walBytes = (last.segment - first.segment) * segmentBytes
      if (filesMet > 0) log('Postgres came before the link %d times', filesMet)
      // The last is real again.
      return { walBytes, walBytesOnDisk: filesMet * segmentBytes, isLossy: last.segment - 1 > lastKept }
    },
    abort,
  }
}

/**
 * @throws PgBranchError `PGB_INGEST` if WAL of this stopped cluster still leads to /dev/null: it may then
 * never be used.
 */
export function refuseLinks(dataDir: string): void {
  const links = listLinks(dataDir)
  if (links.length === 0) return
  throw new PgBranchError(`after fast ingest ${links.length} WAL segment(s) of ${dataDir} still lead elsewhere`, {
    code: 'PGB_INGEST',
    hint: 'Nothing was sealed. Please report this, with the log below the cache; `fastIngest: false` does without.',
  })
}

/** Makes the server write to a real file again. @returns the position from there. */
async function leaveLinks(admin: Client, dataDir: string): Promise<WalPosition> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await removeAhead(dataDir, await readPosition(admin))
    await admin.query('SELECT pg_switch_wal()')
    const position = await readPosition(admin)
    if (!isLinked(dataDir, position)) return position
    // Exactly at the beginning of a segment a switch does nothing: with something in it, it does.
    await admin.query("SELECT pg_logical_emit_message(false, 'pg-branch', '')")
  }
  throw new PgBranchError(`the build server of ${dataDir} did not leave the WAL that leads elsewhere`, {
    code: 'PGB_INGEST',
    hint: 'Nothing was sealed. Please report this; `fastIngest: false` does without.',
  })
}

async function readPosition(admin: Client): Promise<WalPosition> {
  const { rows } = await admin.query<{ lsn: string; name: string; bytes: string }>(
    `SELECT l AS lsn, pg_walfile_name(l) AS name, pg_size_bytes(current_setting('wal_segment_size')) AS bytes
     FROM pg_current_wal_insert_lsn() AS l`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('no WAL position')
  const segmentBytes = Number(row.bytes)
  return {
    timeline: Number.parseInt(row.name.slice(0, 8), 16),
    segment: Number(parseLsn(row.lsn) / BigInt(segmentBytes)),
    segmentBytes,
  }
}
