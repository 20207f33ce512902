import { join } from 'node:path'
import type { IngestResult } from '../ingest/fast-ingest.ts'
import { createRandomHex } from '../lib/hash.ts'
import { makeServerDir } from '../lib/own-dirs.ts'
import { removeTrees } from '../lib/remove-tree.ts'
import type { UndoStack } from '../lib/undo-stack.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import type { Volume } from '../volume/choose.ts'
import { dataName, formatVersion, listFiles, writeManifest } from './manifest.ts'

/** Makes an empty directory for one layer, which is removed again unless the layer is published. */
export async function makeBuildDir(volume: Volume, undo: UndoStack): Promise<string> {
  const dir = join(volume.buildsDir, `build-${createRandomHex(6)}`)
  makeServerDir(dir)
  undo.push(async () => {
    await volume.driver.remove([join(dir, dataName)])
    await removeTrees([dir])
  })
  return dir
}

/** Writes the manifest: the directory can then be published. */
export async function finishDir(options: {
  dir: string
  key: string
  sealed: boolean
  description: string
  database: string
  user: string
  buildMs: number
  ingest?: IngestResult | undefined
  isUnchecked: boolean
  binaries: PostgresBinaries
}): Promise<void> {
  const { dir, binaries, ...rest } = options
  const { files, bytes } = await listFiles(join(dir, dataName))
  await writeManifest(dir, {
    formatVersion,
    ...rest,
    buildId: binaries.buildId,
    createdAt: new Date().toISOString(),
    bytes,
    files,
  })
}
