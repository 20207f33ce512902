import { existsSync, lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { measureAgeMs } from '../lib/file-clock.ts'
import { createLog } from '../lib/log.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import { inspectPlace } from '../lib/own-place.ts'
import { identifyProcess, isSameProcessAlive, type ProcessIdentity } from '../lib/processes.ts'
import { readRecord, readRecordSync } from '../lib/record.ts'
import { getSystem } from '../lib/system/get-system.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { driverNames, type DriverName } from '../volume/registry.ts'

const log = createLog('reaper')

/** A directory that holds one subdirectory for each life of a supervisor. */
export interface GenerationRoot {
  path: string
  driver: DriverName
}

const ownerName = 'owner.json'
const ownerSchema = v.object({ pid: v.pipe(v.number(), v.integer(), v.minValue(2)), startedAt: v.string() })

/** Makes `<root>/<generation>` with a file that says which process it lives and dies with. */
export async function makeGenerationDir(root: string, generation: string): Promise<string> {
  const dir = join(root, generation)
  if (existsSync(join(dir, ownerName))) return dir
  makePrivateDir(dir, { enterable: true })
  const owner: ProcessIdentity = await identifyProcess(process.pid)
  await writeWhole(join(dir, ownerName), JSON.stringify(owner))
  return dir
}

/** Between the making of a directory and the naming of its owner there are milliseconds. */
const beingMadeMs = 5_000

/** @returns whether the supervisor of this generation still lives. No readable owner: it died early, or is just starting. */
export async function isGenerationAlive(dir: string): Promise<boolean> {
  const owner = await readRecord(join(dir, ownerName), ownerSchema)
  if (owner !== undefined) return isSameProcessAlive(owner)
  // It is written whole: one that is there and names nobody is nobody's.
  if (existsSync(join(dir, ownerName))) return false
  const ageMs = measureAgeMs(dir, { dir: dirname(dir) })
  // One from the future was made before the clock was put back.
  return ageMs !== undefined && Math.abs(ageMs) < beingMadeMs
}

const rootsSchema = v.array(v.object({ path: v.string(), driver: v.picklist(driverNames) }))

/**
 * The list of all places in which supervisors of this state directory ever made something, so that
 * the reaper finds them whatever the configuration says by then.
 */
export class GenerationRegister {
  readonly #file: string

  constructor(stateDir: string) {
    this.#file = join(stateDir, 'places.json')
  }

  /** @returns those that are there and this user's own: nothing is looked for in others. */
  list(): GenerationRoot[] {
    return this.#read().filter(({ path }) => {
      const state = inspectPlace(path)
      if (state.kind === 'foreign') log('%s is left alone: %s', path, state.problem)
      return state.kind === 'own'
    })
  }

  async add(root: GenerationRoot): Promise<void> {
    const roots = this.#read()
    if (roots.some(({ path, driver }) => path === root.path && driver === root.driver)) return
    // Places in shared folders have random names and come and go; what is gone there does not come back.
    const present = roots.filter(({ path }) => !isInMemory(path) || lstatSync(path, { throwIfNoEntry: false }))
    await writeWhole(this.#file, JSON.stringify([...present, root]), { mode: 0o600 })
  }

  #read(): GenerationRoot[] {
    return readRecordSync(this.#file, rootsSchema) ?? []
  }
}

/** Whether a place goes with the last supervisor that used it. */
export function isInMemory(path: string): boolean {
  const { memoryRoot } = getSystem()
  return memoryRoot !== undefined && path.startsWith(`${memoryRoot}/`)
}
