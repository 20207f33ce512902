import { createHash } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A part of a file. */
export interface Piece {
  path: string
  offset: number
  length: number
}

export interface CutFile {
  path: string
  mode: number
  bytes: number
}

/** A directory as a list of chunks: each is some pieces, one after the other. */
export interface CutTree {
  directories: string[]
  files: CutFile[]
  chunks: Piece[][]
}

/** Postgres changes pages in place: with chunks at fixed places in a file, all others stay as they were. */
export const chunkBytes: number = 1024 ** 2
/** Files up to this size share chunks: a cluster has a thousand of them. */
const smallBytes = 256 * 1024
/** One of so many small files ends a chunk, by its name: whatever is added or removed moves only one border. */
const filesPerChunk = 16

/**
 * Cuts a directory so that two that are alike have most chunks in common. Paths are relative, with slashes.
 *
 * @param leftOut files that are not wanted.
 */
export async function cutTree(dir: string, leftOut: ReadonlySet<string>): Promise<CutTree> {
  const directories: string[] = []
  const files: CutFile[] = []
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const absolute = join(entry.parentPath, entry.name)
    const path = absolute.slice(dir.length + 1)
    if (entry.isDirectory()) directories.push(path)
    if (!entry.isFile() || leftOut.has(path)) continue
    const { size, mode } = await lstat(absolute)
    files.push({ path, mode: mode & 0o700, bytes: size })
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { directories: directories.sort(), files, chunks: cutFiles(files) }
}

export function cutFiles(files: CutFile[]): Piece[][] {
  const chunks: Piece[][] = []
  let shared: Piece[] = []
  let sharedBytes = 0
  const close = () => {
    if (shared.length > 0) chunks.push(shared)
    shared = []
    sharedBytes = 0
  }
  for (const { path, bytes } of files) {
    if (bytes > smallBytes) {
      for (let offset = 0; offset < bytes; offset += chunkBytes) {
        chunks.push([{ path, offset, length: Math.min(chunkBytes, bytes - offset) }])
      }
      continue
    }
    if (bytes > 0) shared.push({ path, offset: 0, length: bytes })
    sharedBytes += bytes
    if (sharedBytes >= chunkBytes - smallBytes || isBorder(path)) close()
  }
  close()
  return chunks
}

function isBorder(path: string): boolean {
  return (createHash('sha256').update(path).digest()[0] ?? 0) % filesPerChunk === 0
}
