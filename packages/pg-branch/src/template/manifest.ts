import { lstatSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { IngestResult } from '../ingest/fast-ingest.ts'
import { describeError } from '../lib/errors.ts'
import { parseSealedRecord, sealRecord, type UnreadableRecord } from '../lib/record.ts'

/** Part of every key: raise it when what is on disk changes its meaning. */
export const formatVersion = 6

/** Beside the data of a template: `template.json`, written before the rename that publishes both. */
export interface TemplateManifest {
  formatVersion: number
  key: string
  /** Whether it is ready to be branched from; else it is a layer, to continue building from. */
  sealed: boolean
  description: string
  buildId: string
  /** The database that URLs point at. */
  database: string
  /** The role that URLs log in as. */
  user: string
  createdAt: string
  buildMs: number
  /** Set if its last step was built by fast ingest. */
  ingest?: IngestResult | undefined
  /** Whether WAL was lost since it was last checked: what is built on it is to be. */
  isUnchecked: boolean
  bytes: number
  /** Every file with its size and modification time: what is checked before the first use in a process. */
  files: Record<string, string>
}

const entries = {
  formatVersion: v.number(),
  key: v.string(),
  sealed: v.boolean(),
  description: v.string(),
  buildId: v.string(),
  database: v.string(),
  user: v.string(),
  createdAt: v.string(),
  buildMs: v.number(),
  ingest: v.optional(v.object({ walBytes: v.number(), walBytesOnDisk: v.number(), isLossy: v.boolean() })),
  isUnchecked: v.boolean(),
}

/** What is known of a template beside its files: also what a store says of one. */
export const templateSchema: v.GenericSchema<unknown, Omit<TemplateManifest, 'files' | 'bytes'>> = v.object(entries)

const schema = v.object({ ...entries, bytes: v.number(), files: v.record(v.string(), v.string()) })

export const manifestName = 'template.json'
export const dataName = 'data'

/** @returns size and modification time of every file of a data directory. */
export async function listFiles(dataDir: string): Promise<{ files: Record<string, string>; bytes: number }> {
  const files: Record<string, string> = {}
  let bytes = 0
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const stat = lstatSync(path, { bigint: true })
    files[path.slice(dataDir.length + 1)] = `${stat.size}:${stat.mtimeNs}`
    bytes += Number(stat.blocks) * 512
  }
  return { files, bytes }
}

export async function writeManifest(dir: string, manifest: TemplateManifest): Promise<void> {
  await writeFile(join(dir, manifestName), sealRecord(manifest), { mode: 0o600, flush: true })
}

/** @returns what is in `template.json`, or what is wrong with it. */
export async function readManifest(dir: string): Promise<TemplateManifest | UnreadableRecord> {
  try {
    const result = parseSealedRecord(await readFile(join(dir, manifestName), 'utf8'), schema)
    if (result !== undefined && 'value' in result) return result.value
    return { problem: `its ${manifestName} cannot be read: ${result?.problem ?? 'it is empty'}` }
  } catch (error) {
    return { problem: `its ${manifestName} cannot be read (${describeError(error)})` }
  }
}

/** @returns the manifest, or what is wrong with the template in `dir`. Only files are read, nothing is changed. */
export async function checkTemplate(dir: string, key: string): Promise<TemplateManifest | UnreadableRecord> {
  const manifest = await readManifest(dir)
  if ('problem' in manifest) return manifest
  if (manifest.formatVersion !== formatVersion || manifest.key !== key) {
    return { problem: `its ${manifestName} is not for this template` }
  }
  try {
    const { files } = await listFiles(join(dir, dataName))
    for (const [path, expected] of Object.entries(manifest.files)) {
      if (files[path] !== expected)
        return { problem: `${path} is ${files[path] === undefined ? 'missing' : 'not as it was written'}` }
    }
    const extra = Object.keys(files).find((path) => manifest.files[path] === undefined)
    return extra === undefined ? manifest : { problem: `${extra} does not belong there` }
  } catch (error) {
    return { problem: `its data cannot be read (${describeError(error)})` }
  }
}
