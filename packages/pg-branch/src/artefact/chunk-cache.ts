import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirs } from '../lib/make-dirs.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { describeContent } from './blobs.ts'
import type { Blob } from './contract.ts'

/** Chunks that were fetched for a template which is not whole yet. A damaged one is as if it were not there. */
export class ChunkCache {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  async get(chunk: Blob, fetch: () => Promise<Buffer>): Promise<Buffer> {
    const path = this.#getPath(chunk)
    const kept = await readFile(path).catch(() => undefined)
    if (kept !== undefined && describeContent(kept).digest === chunk.digest) return kept
    const content = await fetch()
    makeDirs(this.#dir, 0o700)
    await writeWhole(path, content, { mode: 0o600 })
    return content
  }

  async drop(chunks: Blob[]): Promise<void> {
    await Promise.all(chunks.map((chunk) => rm(this.#getPath(chunk), { force: true })))
  }

  #getPath({ digest }: Blob): string {
    return join(this.#dir, digest.slice('sha256:'.length))
  }
}
