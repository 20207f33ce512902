import { chownSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { getServerIdentity } from '../lib/server-identity.ts'

const log = createLog('ingest')

/** Files in memory for the first WAL of a build. */
export interface WalMemory {
  /** Empty, and the server's own. */
  files: string[]
  remove(): void
}

/** Makes `count` empty files in a directory of their own below `dir`, for the server's user only. */
export function makeWalMemory(dir: string, count: number): WalMemory {
  const own = join(dir, `wal-${createRandomHex(6)}`)
  const identity = getServerIdentity()
  const give = (path: string) => {
    if (identity !== undefined) chownSync(path, identity.uid, identity.gid)
  }
  mkdirSync(own, { mode: 0o700 })
  const files = Array.from({ length: count }, (_, index) => join(own, String(index)))
  for (const file of files) {
    writeFileSync(file, '', { mode: 0o600 })
    give(file)
  }
  give(own)
  return {
    files,
    remove() {
      // The server's user may have put something else in their place: only what we made goes, and no link is followed.
      // What stays then is the reaper's.
      try {
        for (const file of files) rmSync(file, { force: true })
        rmdirSync(own)
      } catch (error) {
        log('%s stays: %O', own, error)
      }
    },
  }
}
