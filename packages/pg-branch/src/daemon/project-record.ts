import { join } from 'node:path'
import * as v from 'valibot'
import { hashValue } from '../lib/hash.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import type { StatePaths } from '../lib/paths.ts'
import { readSealedRecord, sealRecord } from '../lib/record.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { formatVersion } from '../template/manifest.ts'
import { buildRecordSchema, planSchema } from '../template/plan-schema.ts'
import type { Plan } from '../template/plan.ts'
import type { BuildRecord } from '../template/why.ts'

/** What the next supervisor needs to know: it can then lease without running any code of the user's. */
export interface ProjectRecord {
  rootDir: string
  configFile?: string | undefined
  plan: Plan
  built: BuildRecord
}

const schema = v.object({
  rootDir: v.string(),
  configFile: v.optional(v.string()),
  plan: planSchema,
  built: buildRecordSchema,
})

function getFile(paths: StatePaths, rootDir: string, configFile: string | undefined): string {
  return join(paths.projectsDir, `${hashValue([formatVersion, rootDir, configFile ?? ''])}.json`)
}

/** @returns undefined if there is none or it cannot be read: it only saves work. */
export async function readProjectRecord(
  paths: StatePaths,
  rootDir: string,
  configFile: string | undefined,
): Promise<ProjectRecord | undefined> {
  const record = await readSealedRecord(getFile(paths, rootDir, configFile), schema)
  return record?.rootDir === rootDir && record.configFile === configFile ? record : undefined
}

export async function writeProjectRecord(paths: StatePaths, record: ProjectRecord): Promise<void> {
  const file = getFile(paths, record.rootDir, record.configFile)
  makePrivateDir(paths.projectsDir)
  await writeWhole(file, sealRecord(record), { mode: 0o600 })
}
