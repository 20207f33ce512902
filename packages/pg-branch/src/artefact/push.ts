import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import pLimit from 'p-limit'
import { openServerFile } from '../lib/open-server-file.ts'
import type { Template } from '../template/store.ts'
import { describeContent, hashContent } from './blobs.ts'
import type { ArtefactStore, Blob } from './contract.ts'
import { cutTree, type Piece } from './cut.ts'
import { findNeedlessWal, type NeedlessWal } from './needless-wal.ts'
import type { Signing } from './signature.ts'
import { createManifest, type ArtefactChunk } from './manifest.ts'

export interface Moved {
  /** What the template has, compressed. */
  bytes: number
  /** What of it had to be moved. */
  bytesMoved: number
}

const compress = promisify(gzip)
/** Pages of a database shrink to a fifth at the quickest level, and little more at any other. */
const level = 1
const parallel = 4

/**
 * Writes a template to a store, chunk by chunk, those that are not there. Its name is written last: until
 * then nobody sees it, and after a kill the next push goes on where this one was.
 */
export async function pushTemplate({
  template,
  store,
  signing,
  force = false,
  onProgress = () => {},
}: {
  template: Template
  store: ArtefactStore
  signing: Signing
  /** Writes also what is there already: it may be damaged. */
  force?: boolean
  onProgress?: (progress: { bytes: number; totalBytes: number }) => void
}): Promise<Moved> {
  const { dir: _dir, dataDir, ...manifest } = template
  const needless = await findNeedlessWal(dataDir)
  const { directories, files, chunks: cuts } = await cutTree(dataDir, needless.files)
  const indexes = new Map(files.map(({ path }, index) => [path, index]))
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const moved: Moved = { bytes: 0, bytesMoved: 0 }
  let read = 0
  const limit = pLimit(parallel)
  const chunks = await Promise.all(
    cuts.map((pieces) =>
      limit(async (): Promise<ArtefactChunk> => {
        const raw = await readPieces(dataDir, pieces, needless.part)
        const content = await compress(raw, { level })
        const blob = describeContent(content)
        const bytesMoved = await writeBlob(store, { blob, content, force })
        moved.bytes += blob.bytes
        moved.bytesMoved += bytesMoved
        read += raw.length
        onProgress({ bytes: read, totalBytes })
        return {
          ...blob,
          hash: hashContent(raw),
          pieces: pieces.map(({ path, offset, length }) => [indexes.get(path) ?? -1, offset, length]),
        }
      }),
    ),
  )
  const content = Buffer.from(JSON.stringify(createManifest({ template: manifest, directories, files, chunks })))
  const own = describeContent(content)
  moved.bytesMoved += await writeBlob(store, { blob: own, content, force })
  // Chunks of the same content are one blob.
  const blobs = new Map(chunks.map(({ digest, bytes }) => [digest, { digest, bytes }]))
  const annotations = {
    'pg-branch.description': template.description.slice(0, 200),
    ...signing.sign(template.key, own),
  }
  await store.writeRef(template.key, { manifest: own, blobs: [...blobs.values()], annotations })
  return moved
}

async function readPieces(dataDir: string, pieces: Piece[], needless: NeedlessWal['part']): Promise<Buffer> {
  const raw = Buffer.alloc(pieces.reduce((sum, { length }) => sum + length, 0))
  let position = 0
  for (const { path, offset, length } of pieces) {
    await using file = await openServerFile(join(dataDir, path))
    await file.read(raw, position, length, offset)
    if (path === needless?.path) {
      const [from, to] = [needless.from, needless.to].map((place) => Math.min(length, Math.max(0, place - offset)))
      raw.fill(0, position + (from ?? 0), position + (to ?? 0))
    }
    position += length
  }
  return raw
}

/** @returns the bytes that were moved. */
async function writeBlob(
  store: ArtefactStore,
  { blob, content, force }: { blob: Blob; content: Buffer; force: boolean },
): Promise<number> {
  if (!force && (await store.hasBlob(blob))) return 0
  await store.writeBlob(blob, content)
  return blob.bytes
}
