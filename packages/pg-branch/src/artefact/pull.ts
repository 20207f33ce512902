import { chown, mkdir, open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import pLimit from 'p-limit'
import { PgBranchError } from '../lib/errors.ts'
import { explainDiskFull } from '../lib/system-errors.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { finishDir, makeBuildDir } from '../template/build-dir.ts'
import { dataName } from '../template/manifest.ts'
import type { Template, TemplateStore } from '../template/store.ts'
import type { Volume } from '../volume/choose.ts'
import { hashContent, pushAgainHint, readVerified } from './blobs.ts'
import { ChunkCache } from './chunk-cache.ts'
import type { ArtefactStore } from './contract.ts'
import type { Signing } from './signature.ts'
import { parseManifest, type ArtefactChunk, type ArtefactManifest } from './manifest.ts'

export interface PullContext {
  store: ArtefactStore
  signing: Signing
  local: TemplateStore
  volume: Volume
  binaries: PostgresBinaries
  /** Where chunks are kept until the template is whole, so that the next try goes on where this one was. */
  chunksDir: string
  onProgress?: (progress: { bytes: number; totalBytes: number }) => void
}

export interface Pulled {
  template: Template
  /** What it has, compressed. */
  bytes: number
}

const decompress = promisify(gunzip)
const parallel = 8
/** A block that is all zeros is not written, so that sparse files stay sparse. */
const blockBytes = 64 * 1024

/**
 * Fetches a template and publishes it: all of it or nothing. What was fetched before a failure or a kill
 * is not fetched again.
 *
 * @returns undefined if the store has none of that key.
 * @throws PgBranchError `PGB_ARTEFACT` if anything of it is not as it should be, `PGB_STORE`, `PGB_DISK_FULL`.
 */
export async function pullTemplate(key: string, context: PullContext): Promise<Pulled | undefined> {
  const { store, local, volume, binaries, onProgress = () => {} } = context
  const ref = await store.readRef(key)
  if (ref === undefined) return undefined
  const source = store.label
  context.signing.verify(key, ref, source)
  const manifest = parseManifest(await readVerified(store, ref.manifest), { source, key, binaries })
  const cache = new ChunkCache(context.chunksDir)
  const totalBytes = manifest.chunks.reduce((sum, { bytes }) => sum + bytes, 0)
  let bytes = 0
  await using undo = new UndoStack()
  const dir = await makeBuildDir(volume, undo)
  const dataDir = join(dir, dataName)
  await volume.driver.create(dataDir)
  const identity = getServerIdentity()
  // Until all is written nobody else may enter: what lies in it has its owner already.
  if (identity !== undefined) await chown(dataDir, 0, 0)
  await makeFiles(dataDir, manifest)
  const limit = pLimit(parallel)
  const failures: unknown[] = []
  await Promise.all(
    manifest.chunks.map((chunk) =>
      limit(async () => {
        if (failures.length > 0) return
        try {
          const content = await cache.get(chunk, () => readVerified(store, chunk))
          await writePieces(dataDir, { chunk, manifest, raw: await unpack(chunk, { content, source }) })
          bytes += chunk.bytes
          onProgress({ bytes, totalBytes })
        } catch (error) {
          failures.push(error)
        }
      }),
    ),
  )
  if (failures.length > 0) {
    const full = explainDiskFull(failures[0])
    // What was fetched takes up room that somebody needs.
    if (full !== undefined) await cache.drop(manifest.chunks)
    throw full ?? failures[0]
  }
  if (identity !== undefined) await chown(dataDir, identity.uid, identity.gid)
  const { formatVersion: _version, buildId: _build, createdAt: _createdAt, ...rest } = manifest.template
  await finishDir({ ...rest, dir, binaries })
  const template = await local.publish(dir, { key, undo })
  await cache.drop(manifest.chunks)
  return { template, bytes: totalBytes }
}

async function unpack(
  { digest, hash, pieces }: ArtefactChunk,
  { content, source }: { content: Buffer; source: string },
): Promise<Buffer> {
  const length = pieces.reduce((sum, piece) => sum + piece[2], 0)
  // In one piece: by the default of 16 KiB it takes twice as long.
  const limits = { maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length + 1) }
  const raw = await decompress(content, limits).catch(() => undefined)
  if (raw?.length === length && hashContent(raw) === hash) return raw
  throw new PgBranchError(`${digest.slice(0, 19)} in ${source} does not hold what the artefact says`, {
    code: 'PGB_ARTEFACT',
    hint: pushAgainHint,
  })
}

/** Makes every directory, and every file in its length. */
async function makeFiles(dataDir: string, { directories, files }: ArtefactManifest): Promise<void> {
  const identity = getServerIdentity()
  const own = async (path: string) => {
    if (identity !== undefined) await chown(path, identity.uid, identity.gid)
  }
  for (const path of directories.toSorted()) {
    await mkdir(join(dataDir, path), { mode: 0o700 })
    await own(join(dataDir, path))
  }
  const limit = pLimit(parallel)
  await Promise.all(
    files.map(({ path, mode, bytes }) =>
      limit(async () => {
        const file = join(dataDir, path)
        await writeFile(file, '', { mode, flag: 'wx' })
        await truncate(file, bytes)
        await own(file)
      }),
    ),
  )
}

async function writePieces(
  dataDir: string,
  { chunk, manifest, raw }: { chunk: ArtefactChunk; manifest: ArtefactManifest; raw: Buffer },
): Promise<void> {
  let position = 0
  for (const [index, offset, length] of chunk.pieces) {
    await using file = await open(join(dataDir, manifest.files[index]?.path ?? ''), 'r+')
    const content = raw.subarray(position, position + length)
    for (const [start, end] of findRuns(content)) await file.write(content, start, end - start, offset + start)
    position += length
  }
}

/** @returns from where to where there is something else than zeros. */
function findRuns(content: Buffer): Array<[start: number, end: number]> {
  const runs: Array<[number, number]> = []
  for (let start = 0; start < content.length; start += blockBytes) {
    const end = Math.min(content.length, start + blockBytes)
    const last = runs.at(-1)
    if (isZero(content.subarray(start, end))) continue
    if (last?.[1] === start) last[1] = end
    else runs.push([start, end])
  }
  return runs
}

const zeros = Buffer.alloc(blockBytes)

function isZero(block: Buffer): boolean {
  return block.equals(zeros.subarray(0, block.length))
}
