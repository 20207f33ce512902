import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandomHex } from '../lib/hash.ts'
import { getServerIdentity } from '../lib/server-identity.ts'

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
  return { files, remove: () => rmSync(own, { recursive: true, force: true }) }
}
