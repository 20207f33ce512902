import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openServerFile } from '../lib/open-server-file.ts'

const walDir = 'pg_wal'
/** Timeline, and two parts of the segment's number, in hexadecimal. */
const segmentPattern = /^[0-9A-F]{24}$/
const controlFile = 'global/pg_control'
/** Where `checkPoint` and `checkPointCopy.redo` stand in pg_control; source: catalog/pg_control.h, PostgreSQL 15 to 18. */
const checkpointOffset = 32
const redoOffset = 40
/** The record of a checkpoint takes about 120 bytes, and may begin at a segment's end. */
const recordBytes = 512n

/** What no start of a cluster that was shut down cleanly reads. */
export interface NeedlessWal {
  /** Files before its last checkpoint, and those after it, which are only kept to be written over. */
  files: ReadonlySet<string>
  /** The part of a file before the checkpoint, but for the first page, which says what file it is. */
  part: { path: string; from: number; to: number } | undefined
}

/** The largest that a page of the WAL can be. */
const pageBytes = 65_536

export async function findNeedlessWal(dataDir: string): Promise<NeedlessWal> {
  const names = (await readdir(join(dataDir, walDir))).filter((name) => segmentPattern.test(name))
  const [first] = names
  if (first === undefined) return { files: new Set(), part: undefined }
  const segmentBytes = BigInt((await stat(join(dataDir, walDir, first))).size)
  const { redo, checkpoint } = await readCheckpoint(dataDir)
  const [from, to] = [redo / segmentBytes, (checkpoint + recordBytes) / segmentBytes]
  const perFile = 0x1_0000_0000n / segmentBytes
  const getSegment = (name: string) => BigInt(`0x${name.slice(8, 16)}`) * perFile + BigInt(`0x${name.slice(16)}`)
  const needless = names.filter((name) => getSegment(name) < from || getSegment(name) > to)
  const current = names.find((name) => getSegment(name) === from)
  const position = Number(redo % segmentBytes)
  const end = position - (position % pageBytes)
  return {
    files: new Set(needless.map((name) => `${walDir}/${name}`)),
    part:
      current === undefined || end <= pageBytes
        ? undefined
        : { path: `${walDir}/${current}`, from: pageBytes, to: end },
  }
}

async function readCheckpoint(dataDir: string): Promise<{ redo: bigint; checkpoint: bigint }> {
  await using file = await openServerFile(join(dataDir, controlFile))
  const { buffer } = await file.read(Buffer.alloc(64), 0, 64, 0)
  return { checkpoint: buffer.readBigUInt64LE(checkpointOffset), redo: buffer.readBigUInt64LE(redoOffset) }
}
