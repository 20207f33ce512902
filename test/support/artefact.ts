import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

interface Ref {
  manifest: { digest: string; bytes: number }
}

/** As far as tests change it. */
export interface Manifest {
  platform: string
  template: { buildId: string; formatVersion: number }
  directories: string[]
  files: Array<{ path: string; mode: number; bytes: number }>
  chunks: Array<{ digest: string; bytes: number; hash: string; pieces: Array<[number, number, number]> }>
}

/** A directory store, to look into and to damage. */
export function openStoreDir(dir: string): {
  keys(): string[]
  readManifest(key: string): Manifest
  /** Changes what describes a template, hashes and all, as somebody with bad intent would. */
  changeManifest(key: string, change: (manifest: Manifest) => void): void
  blobPath(digest: string): string
  countBytes(): number
} {
  const refPath = (key: string) => join(dir, 'refs', `${key}.json`)
  const blobPath = (digest: string) => {
    const hex = digest.replace('sha256:', '')
    return join(dir, 'blobs', 'sha256', hex.slice(0, 2), hex)
  }
  const readRef = (key: string) => JSON.parse(readFileSync(refPath(key), 'utf8')) as Ref
  const readManifest = (key: string) =>
    JSON.parse(readFileSync(blobPath(readRef(key).manifest.digest), 'utf8')) as Manifest
  return {
    keys: () =>
      readdirSync(join(dir, 'refs'))
        .filter((name) => !name.startsWith('claim-'))
        .map((name) => name.replace('.json', '')),
    readManifest,
    changeManifest(key, change) {
      const manifest = readManifest(key)
      change(manifest)
      const content = Buffer.from(JSON.stringify(manifest))
      const ref = readRef(key)
      ref.manifest = { digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, bytes: content.length }
      const path = blobPath(ref.manifest.digest)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      writeFileSync(refPath(key), JSON.stringify(ref))
    },
    blobPath,
    countBytes: () =>
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0),
  }
}
