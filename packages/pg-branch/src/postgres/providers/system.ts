import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { globSync } from 'tinyglobby'
import type { PostgresBinaries, PostgresProvider, RejectedCandidate } from '../contract.ts'
import { inspectBinaries } from '../inspect.ts'

/** Where packages put versioned server programs, beside PATH. */
const knownPlaces = [
  '/usr/lib/postgresql/*/bin', // Debian, Ubuntu
  '/usr/pgsql-*/bin', // PGDG on Fedora, RHEL
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
]

/** Binaries that are installed on this machine: `postgres.bin`, or PATH and the usual places, newest first. */
export const systemProvider: PostgresProvider = {
  name: 'system',
  async locate({ bin, version }) {
    const rejected: RejectedCandidate[] = []
    const dirs = bin === undefined ? listDirs() : [bin]
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

function listDirs(): string[] {
  const inPath = (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'postgres'))
    .filter((file) => existsSync(file))
    .map((file) => dirname(realpathSync(file)))
  const known = globSync(knownPlaces, { onlyDirectories: true, absolute: true, cwd: '/' }).map((dir) =>
    realpathSync(dir),
  )
  return [...new Set([...inPath, ...known])]
}
