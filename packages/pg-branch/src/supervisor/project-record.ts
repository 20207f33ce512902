import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashValue } from '../lib/hash.ts'
import type { StatePaths } from '../lib/paths.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { formatVersion } from '../template/manifest.ts'
import type { Plan } from '../template/plan.ts'
import type { BuildRecord } from '../template/why.ts'

/** What the next supervisor needs to know: it can then lease without running any code of the user's. */
export interface ProjectRecord {
  rootDir: string
  configFile: string | undefined
  plan: Plan
  built: BuildRecord
}

function getFile(paths: StatePaths, rootDir: string, configFile: string | undefined): string {
  return join(paths.projectsDir, `${hashValue([formatVersion, rootDir, configFile ?? ''])}.json`)
}

/** @returns undefined if there is none or it cannot be read: it only saves work. */
export async function readProjectRecord(
  paths: StatePaths,
  rootDir: string,
  configFile: string | undefined,
): Promise<ProjectRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(getFile(paths, rootDir, configFile), 'utf8')) as ProjectRecord
    const isWhole = record.rootDir === rootDir && Array.isArray(record.plan.steps) && Array.isArray(record.built.steps)
    return isWhole ? record : undefined
  } catch {
    return undefined
  }
}

export async function writeProjectRecord(paths: StatePaths, record: ProjectRecord): Promise<void> {
  const file = getFile(paths, record.rootDir, record.configFile)
  await mkdir(paths.projectsDir, { recursive: true, mode: 0o700 })
  await writeWhole(file, JSON.stringify(record), { mode: 0o600 })
}
