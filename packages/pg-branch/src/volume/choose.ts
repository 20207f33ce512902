import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { PgBranchError } from '../lib/errors.ts'
import { makePrivateDir, makeRandomDir } from '../lib/own-dirs.ts'
import { inspectPlace } from '../lib/own-place.ts'
import type { StatePaths } from '../lib/paths.ts'
import { readRecordSync } from '../lib/record.ts'
import { getSystem } from '../lib/system/get-system.ts'
import { writeWhole } from '../lib/write-whole.ts'
import type { VolumeDriver } from './contract.ts'
import { getManagedVolumePaths, managedDriver } from './managed.ts'
import { driverNames, drivers, type DriverName } from './registry.ts'

/** A place on disk that one driver manages and on which clones are made. */
export interface Volume {
  driver: VolumeDriver
  /** One file system holds these three, so that publishing is a rename. */
  templatesDir: string
  buildsDir: string
  branchesDir: string
  /**
   * Whether plain copies may go to memory, where the machine has room there. A template on disk is
   * copied to it as fast as memory allows, and nothing there is ever written to a disk.
   */
  maySpillToMemory: boolean
  /** e.g. `btrfs on /var/cache/pg-branch/volume`. */
  description: string
  /** What would be faster and how to get it; undefined if nothing would. */
  advice: string | undefined
  /** Every candidate that was not taken, with the reason. */
  rejected: Array<{ candidate: string; reason: string }>
}

export interface VolumeRequest {
  paths: StatePaths
  driver?: DriverName | undefined
  path?: string | undefined
}

/**
 * Finds the fastest volume: the managed btrfs volume if it is mounted, else a copy-on-write file
 * system below the home directory, else plain copies.
 *
 * @throws PgBranchError `PGB_NO_VOLUME` that lists every candidate with its reason.
 */
export async function chooseVolume(request: VolumeRequest): Promise<Volume> {
  const rejected: Volume['rejected'] = []
  for (const { root, name } of listCandidates(request)) {
    const reason = await findReason(root, name)
    if (reason === undefined) return await layOutVolume({ driver: drivers[name](), root: root.path, request, rejected })
    rejected.push({ candidate: `${name} on ${root.path}`, reason })
  }
  throw new PgBranchError(
    `no volume can be used:\n${rejected.map(({ candidate, reason }) => `  - ${candidate}: ${reason}`).join('\n')}`,
    {
      code: 'PGB_NO_VOLUME',
      hint: 'Remove `volume` from the configuration to use whatever is there, or mend one of these.',
    },
  )
}

/** @returns every place and driver that a volume may be made of, best first, each tried for real. */
export async function surveyVolumes(
  paths: StatePaths,
): Promise<Array<{ driver: DriverName; path: string; reason: string | undefined }>> {
  const results = []
  for (const { root, name } of listCandidates({ paths, driver: undefined, path: undefined })) {
    results.push({ driver: name, path: root.path, reason: await findReason(root, name) })
  }
  return results
}

/** @returns why a driver cannot be used at a place; undefined if it can. */
async function findReason(root: Root, name: DriverName): Promise<string | undefined> {
  if (root.mustExist && !existsSync(root.path)) return root.missingReason
  if (!root.mustExist) makePrivateDir(root.path, { enterable: true })
  // What is made there has others' hands off it, and so must be what leads there.
  const state = inspectPlace(join(root.path, '.probe'))
  if (state.kind === 'foreign') return state.problem
  const probe = await drivers[name]().probe(root.path)
  return probe.usable ? undefined : probe.reason
}

interface Root {
  path: string
  mustExist: boolean
  missingReason: string
}

function listCandidates({ paths, driver, path }: VolumeRequest): Array<{ root: Root; name: DriverName }> {
  const names: DriverName[] = driver === undefined ? driverNames : [driver]
  if (path !== undefined) {
    const root = { path, mustExist: true, missingReason: 'there is no such directory' }
    return names.map((name) => ({ root, name }))
  }
  const managed = {
    path: getManagedVolumePaths(paths.homeDir).mountPoint,
    mustExist: true,
    missingReason: 'no managed volume was made (`pg-branch volume create`)',
  }
  const home = { path: paths.homeDir, mustExist: false, missingReason: '' }
  const onManaged = names.filter((name) => name === managedDriver).map((name) => ({ root: managed, name }))
  return [...onManaged, ...names.map((name) => ({ root: home, name }))]
}

async function layOutVolume(options: {
  driver: VolumeDriver
  root: string
  request: VolumeRequest
  rejected: Volume['rejected']
}): Promise<Volume> {
  const { driver, root, request, rejected } = options
  const { homeDir, stateDir } = request.paths
  // Two versions, or two homes that name the same volume, must not see each other's directories.
  const base = root === homeDir ? stateDir : await findBaseDir(root, stateDir)
  makePrivateDir(base, { enterable: true })
  const dirs = {
    templatesDir: join(base, 'templates'),
    buildsDir: join(base, 'builds'),
    branchesDir: join(base, 'branches'),
  }
  for (const dir of Object.values(dirs)) makePrivateDir(dir, { enterable: true })
  return {
    driver,
    ...dirs,
    maySpillToMemory: !driver.capabilities.copyOnWrite && request.path === undefined,
    description: `${driver.name} on ${root}`,
    advice: driver.capabilities.copyOnWrite ? undefined : copyAdvice,
    rejected,
  }
}

const copyAdvice =
  'this file system cannot clone, so every branch is a copy; `pg-branch volume create` (once, as root, Linux) makes a btrfs volume on which a branch costs the same whatever its size'

const basesSchema = v.record(v.string(), v.string())

/**
 * @returns our directory on a volume: of a name that is always the same where the volume is this user's own, else
 * of a random one, which the home remembers.
 */
async function findBaseDir(root: string, stateDir: string): Promise<string> {
  const usual = join(root, `pg-branch-${createId(stateDir)}`)
  if (inspectPlace(root).kind === 'own' || inspectPlace(usual).kind === 'own') return usual
  const file = join(stateDir, 'volumes.json')
  const known = readRecordSync(file, basesSchema) ?? {}
  const last = known[root]
  if (last !== undefined && inspectPlace(last).kind === 'own') return last
  const base = makeRandomDir(root)
  makePrivateDir(stateDir, { enterable: true })
  await writeWhole(file, JSON.stringify({ ...known, [root]: base }), { mode: 0o600 })
  return base
}

function createId(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12)
}

/** As many copies of a template as memory must have room for before it is used. */
const copiesInMemory = 16

/** @returns the folder in memory, if branches of a template of this size are made there. */
export async function findMemoryForBranches(
  { maySpillToMemory }: Pick<Volume, 'maySpillToMemory'>,
  templateBytes: number,
): Promise<string | undefined> {
  return maySpillToMemory ? findMemory(templateBytes * copiesInMemory) : undefined
}

/** Room that memory must have before up to 256 MB of a build's WAL are put there. */
const walRoomBytes = 1024 ** 3

/** @returns the folder in memory, if the first WAL of builds is put there. */
export async function findMemoryForWal(): Promise<string | undefined> {
  return findMemory(walRoomBytes)
}

/** @returns the folder in memory, if it has so much room: half of what is available at most. */
async function findMemory(bytes: number): Promise<string | undefined> {
  const { memoryRoot, readAvailableMemoryBytes } = getSystem()
  if (memoryRoot === undefined) return undefined
  const { bavail, bsize } = await statfs(memoryRoot)
  const room = Math.min(bavail * bsize, (await readAvailableMemoryBytes()) / 2)
  return room >= bytes ? memoryRoot : undefined
}
