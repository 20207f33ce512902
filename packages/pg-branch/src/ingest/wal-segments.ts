import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { getServerFiles } from '../lib/server-files.ts'

/** Where a server writes: segments are counted from the beginning of its log. */
export interface WalPosition {
  timeline: number
  segment: number
  segmentBytes: number
}

/** @param lsn e.g. `1A/2B3C4D5E`. */
export function parseLsn(lsn: string): bigint {
  const [high = '', low = ''] = lsn.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}

const segmentName = /^[0-9A-F]{24}$/

/** @returns the segment's file name: timeline, and its number in two parts (source: XLogFileName in xlog_internal.h). */
export function formatSegmentName({ timeline, segment, segmentBytes }: WalPosition): string {
  const perId = 2 ** 32 / segmentBytes
  const parts = [timeline, Math.floor(segment / perId), segment % perId]
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('')
}

export function getWalDir(dataDir: string): string {
  return join(dataDir, 'pg_wal')
}

/**
 * Makes the segments `from` to `to` (both included) lead to `targets`, and beyond these to nowhere.
 *
 * @returns how many were there already as files: Postgres had been faster.
 */
export async function linkSegments(
  dataDir: string,
  { from, to, targets = [] }: { from: WalPosition; to: number; targets?: string[] },
): Promise<number> {
  const links = Array.from({ length: Math.max(0, to - from.segment + 1) }, (_, index) => ({
    path: join(getWalDir(dataDir), formatSegmentName({ ...from, segment: from.segment + index })),
    target: targets[index] ?? '/dev/null',
  }))
  const taken = await getServerFiles().makeLinks(links)
  return taken.filter((path) => !isLink(path)).length
}

/** Removes every segment after `position`, link or file: nothing has been written to them yet. */
export async function removeAhead(dataDir: string, position: WalPosition): Promise<void> {
  const current = formatSegmentName(position)
  const names = readdirSync(getWalDir(dataDir)).filter((name) => segmentName.test(name) && name > current)
  await getServerFiles().removeFiles(names.map((name) => join(getWalDir(dataDir), name)))
}

export function isLinked(dataDir: string, position: WalPosition): boolean {
  return isLink(join(getWalDir(dataDir), formatSegmentName(position)))
}

/** @returns the names of all segments that are links. */
export function listLinks(dataDir: string): string[] {
  return readdirSync(getWalDir(dataDir), { withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map(({ name }) => name)
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}
