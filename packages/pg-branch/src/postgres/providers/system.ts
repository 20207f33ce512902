import { existsSync } from 'node:fs'
import type { PostgresBinaries, PostgresProvider, RejectedCandidate } from '../contract.ts'
import { inspectBinaries } from '../inspect.ts'
import { knownPlaces, listDirsWith } from '../known-places.ts'

/** Binaries that are installed on this machine: `postgres.bin`, or PATH and the usual places, newest first. */
export const systemProvider: PostgresProvider = {
  name: 'system',
  async locate({ bin, version }) {
    const rejected: RejectedCandidate[] = []
    const dirs = bin === undefined ? listDirsWith('postgres') : [bin]
    if (dirs.length === 0)
      rejected.push({ candidate: 'system', reason: `no postgres in PATH nor in ${knownPlaces.join(', ')}` })
    const found: PostgresBinaries[] = []
    for (const binDir of dirs) {
      const inspected = existsSync(binDir)
        ? await inspectBinaries({ provider: 'system', binDir, wanted: version })
        : { reason: 'there is no such directory' }
      if ('reason' in inspected) rejected.push({ candidate: binDir, reason: inspected.reason })
      else found.push(inspected)
    }
    const [best, ...others] = found.sort((a, b) => b.version - a.version)
    for (const other of others)
      rejected.push({ candidate: other.binDir, reason: `${best?.binDir} is as good or newer` })
    return { found: best, rejected }
  },
}
