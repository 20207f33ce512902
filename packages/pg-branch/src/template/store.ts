import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { getErrorCode } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import type { Volume } from '../volume/choose.ts'
import { checkTemplate, dataName, manifestName, type TemplateManifest } from './manifest.ts'

const log = createLog('template')

export interface Template extends TemplateManifest {
  dir: string
  dataDir: string
}

/**
 * The templates on one volume, by key. A directory is there whole or not at all: it is filled
 * elsewhere and renamed. Only this object's owner, the supervisor, changes anything.
 */
export class TemplateStore {
  readonly #volume: Volume
  readonly #checked = new Map<string, Template>()

  constructor(volume: Volume) {
    this.#volume = volume
  }

  /**
   * @returns the template, checked file by file the first time it is asked for. One that is not as it
   * was written is removed, and `onBroken` is told.
   */
  async find(key: string, onBroken?: (problem: string) => void): Promise<Template | undefined> {
    const known = this.#checked.get(key)
    const dir = this.#getDir(key)
    if (known !== undefined && existsSync(join(dir, manifestName))) return known
    if (!existsSync(dir)) return undefined
    const manifest = await checkTemplate(dir, key)
    if ('problem' in manifest) {
      log('template %s is broken: %s', key, manifest.problem)
      onBroken?.(`the cached template ${key.slice(0, 8)} was damaged: ${manifest.problem}`)
      await this.remove(key)
      return undefined
    }
    const template = { ...manifest, dir, dataDir: join(dir, dataName) }
    this.#checked.set(key, template)
    return template
  }

  /** Makes a finished build directory the template `key`. Whoever comes second takes the first one's. */
  async publish(buildDir: string, key: string): Promise<Template> {
    try {
      await rename(buildDir, this.#getDir(key))
    } catch (error) {
      if (getErrorCode(error) !== 'ENOTEMPTY' && getErrorCode(error) !== 'EEXIST') throw error
    }
    const template = await this.find(key)
    if (template === undefined) throw new Error(`the template ${key} vanished while it was published`)
    return template
  }

  async touch(key: string): Promise<void> {
    const now = new Date()
    await utimes(join(this.#getDir(key), manifestName), now, now).catch(() => {})
  }

  async remove(key: string): Promise<void> {
    this.#checked.delete(key)
    // Renamed first: a kill in mid-removal must not leave half a template under its key.
    const doomed = join(this.#volume.buildsDir, `doomed-${createRandomHex(6)}`)
    await rename(this.#getDir(key), doomed)
    await this.#volume.driver.remove([join(doomed, dataName)])
    await rm(doomed, { recursive: true, force: true })
  }

  /** Removes what was not used for `maxAgeDays`, then the least recently used beyond `maxBytes`. */
  async evict(limits: { maxBytes: number; maxAgeDays: number; inUse: ReadonlySet<string> }): Promise<string[]> {
    const entries = await this.#listByUse()
    const oldest = Date.now() - limits.maxAgeDays * 86_400_000
    const evicted: string[] = []
    let bytes = 0
    for (const { key, usedAt, bytes: size } of entries) {
      bytes += size
      if (limits.inUse.has(key) || (usedAt >= oldest && bytes <= limits.maxBytes)) continue
      bytes -= size
      await this.remove(key)
      evicted.push(key)
    }
    if (evicted.length > 0) log('evicted %o', evicted)
    return evicted
  }

  /** Newest use first. */
  async #listByUse(): Promise<Array<{ key: string; usedAt: number; bytes: number }>> {
    const entries: Array<{ key: string; usedAt: number; bytes: number }> = []
    for (const key of await readdir(this.#volume.templatesDir)) {
      try {
        const file = join(this.#getDir(key), manifestName)
        const { bytes } = JSON.parse(await readFile(file, 'utf8')) as TemplateManifest
        entries.push({ key, usedAt: (await stat(file)).mtimeMs, bytes })
      } catch {
        // Unreadable: as if never used.
        entries.push({ key, usedAt: 0, bytes: 0 })
      }
    }
    return entries.sort((a, b) => b.usedAt - a.usedAt)
  }

  #getDir(key: string): string {
    return join(this.#volume.templatesDir, key)
  }
}
