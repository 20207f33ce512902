import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDir } from '../lib/paths.ts'
import { identifyProcess, isSameProcessAlive, type ProcessIdentity } from '../lib/processes.ts'
import { writeWhole } from '../lib/write-whole.ts'

/** Directory names that hold one subdirectory for each life of a supervisor. */
export interface GenerationRoot {
  path: string
  driver: string
}

const ownerName = 'owner.json'

/** Makes `<root>/<generation>` with a file that says which process it lives and dies with. */
export async function makeGenerationDir(root: string, generation: string): Promise<string> {
  const dir = join(root, generation)
  if (existsSync(join(dir, ownerName))) return dir
  makePrivateDir(dir, { enterable: true })
  const owner: ProcessIdentity = await identifyProcess(process.pid)
  await writeFile(join(dir, ownerName), JSON.stringify(owner))
  return dir
}

/** Between the making of a directory and the naming of its owner there are milliseconds. */
const beingMadeMs = 5_000

/** @returns whether the supervisor of this generation still lives. No readable owner: it died early, or is just starting. */
export async function isGenerationAlive(dir: string): Promise<boolean> {
  try {
    return await isSameProcessAlive(JSON.parse(await readFile(join(dir, ownerName), 'utf8')) as ProcessIdentity)
  } catch {
    const madeAt = statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0
    return Date.now() - madeAt < beingMadeMs
  }
}

/**
 * The list of all places in which supervisors of this state directory ever made something, so that
 * the reaper finds them whatever the configuration says by then.
 */
export class GenerationRegister {
  readonly #file: string

  constructor(stateDir: string) {
    this.#file = join(stateDir, 'places.json')
  }

  list(): GenerationRoot[] {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, 'utf8'))
      return Array.isArray(value) ? (value as GenerationRoot[]) : []
    } catch {
      return []
    }
  }

  async add(root: GenerationRoot): Promise<void> {
    const roots = this.list()
    if (roots.some(({ path, driver }) => path === root.path && driver === root.driver)) return
    await mkdir(join(this.#file, '..'), { recursive: true })
    await writeWhole(this.#file, JSON.stringify([...roots, root]))
  }
}
