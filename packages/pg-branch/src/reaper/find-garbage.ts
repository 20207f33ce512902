import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'
import { inspectPlace } from '../lib/own-place.ts'
import type { StatePaths } from '../lib/paths.ts'
import { isPidAlive } from '../lib/processes.ts'
import { readRecord } from '../lib/record.ts'
import { removeTrees } from '../lib/remove-tree.ts'
import type { Garbage } from '../protocol/catalog-protocol.ts'
import { listFiles } from '../template/manifest.ts'
import { GenerationRegister } from './generation.ts'
import { listDeadGenerations, reapDead } from './reaper.ts'

const dayMs = 86_400_000

/** @returns what lies about in files, apart from templates: what killed supervisors left, old versions, old downloads. */
export async function findFileGarbage(paths: StatePaths, { maxAgeDays }: { maxAgeDays: number }): Promise<Garbage[]> {
  const dead = await listDeadGenerations(paths.stateDir)
  const oldest = Date.now() - maxAgeDays * dayMs
  const leftovers = dead.map((what) => create('leftover', what, 'its supervisor was killed'))
  const versions = (await listOtherVersions(paths)).map((what) =>
    create('version', what, 'of another version of pg-branch, which is not running and was not used for a day'),
  )
  const downloads = (await listOld(paths.downloadsDir, oldest)).map((what) =>
    create('download', what, `not used for ${maxAgeDays} days`),
  )
  const chunks = (await listOld(paths.chunksDir, Date.now() - dayMs)).map((what) =>
    create('download', what, 'part of a template that nobody went on fetching for a day'),
  )
  return Promise.all([...chunks, ...leftovers, ...versions, ...downloads])
}

export async function removeFileGarbage(garbage: Garbage[], { stateDir }: StatePaths): Promise<void> {
  if (garbage.some(({ kind }) => kind === 'leftover')) await reapDead(stateDir)
  const files = garbage.filter(({ kind }) => kind === 'version' || kind === 'download')
  await removeTrees(files.map(({ what }) => what))
}

async function create(kind: Garbage['kind'], what: string, reason: string): Promise<Garbage> {
  return { kind, what, bytes: await measure(what), reason }
}

/** State directories beside ours: named by a version, without a supervisor, and without servers. */
async function listOtherVersions({ homeDir, stateDir }: StatePaths): Promise<string[]> {
  const names = await readdir(homeDir).catch(() => [])
  const dirs = names
    .filter((name) => /^\d+\.\d+\.\d+/.test(name))
    .map((name) => join(homeDir, name))
    .filter((dir) => inspectPlace(dir).kind === 'own')
  const found: string[] = []
  for (const dir of dirs) {
    if (dir === stateDir || (await isSupervised(dir))) continue
    // Whatever its servers are, that version's reaper knows best.
    if ((await listDeadGenerations(dir)).length > 0) continue
    const { mtimeMs } = await stat(join(dir, 'logs/supervisor.log')).catch(() => ({ mtimeMs: 0 }))
    if (mtimeMs < Date.now() - dayMs) found.push(...listVolumes(dir), dir)
  }
  return found
}

/** @returns where a version keeps templates outside of its state directory. */
function listVolumes(stateDir: string): string[] {
  const builds = new GenerationRegister(stateDir).list().filter(({ path }) => basename(path) === 'builds')
  const places = new Set(builds.map(({ path }) => dirname(path)))
  places.delete(stateDir)
  return [...places]
}

const supervisorSchema = v.object({ pid: v.pipe(v.number(), v.integer(), v.minValue(2)) })

async function isSupervised(stateDir: string): Promise<boolean> {
  const record = await readRecord(join(stateDir, 'supervisor.json'), supervisorSchema)
  return record !== undefined && isPidAlive(record.pid)
}

/** Removes what nobody went on fetching. */
export async function removeOldChunks({ chunksDir }: StatePaths): Promise<void> {
  await removeTrees(await listOld(chunksDir, Date.now() - dayMs))
}

async function listOld(dir: string, oldest: number): Promise<string[]> {
  const names = await readdir(dir).catch(() => [])
  const old: string[] = []
  for (const name of names) {
    const path = join(dir, name)
    // It may be gone by now.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (mtimeMs < oldest) old.push(path)
  }
  return old
}

/** @returns the disk space of a file, or of a directory with all that is in it. */
async function measure(path: string): Promise<number> {
  try {
    const own = await stat(path)
    return own.isDirectory() ? (await listFiles(path)).bytes : own.blocks * 512
  } catch {
    // It is going away while we look.
    return 0
  }
}
