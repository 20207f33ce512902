import { existsSync } from 'node:fs'
import { readdir, rename, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { getErrorCode } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { removeTrees } from '../lib/remove-tree.ts'
import type { UndoStack } from '../lib/undo-stack.ts'
import type { Volume } from '../volume/choose.ts'
import type { TemplateCatalog, TemplateInfo } from './catalog.ts'
import { findEvictable, type CacheLimits, type Evictable } from './eviction.ts'
import { checkTemplate, dataName, manifestName, readManifest, type TemplateManifest } from './manifest.ts'

const log = createLog('template')

export interface Template extends TemplateManifest {
  dir: string
  dataDir: string
}

/**
 * The templates on one volume, by key. A directory is there whole or not at all: it is filled
 * elsewhere and renamed. Only this object's owner, the supervisor, changes anything.
 */
export class TemplateStore implements TemplateCatalog {
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

  /**
   * Makes a finished build directory the template `key`, and commits what would undo it. Whoever comes
   * second takes the first one's, and keeps the directory to undo.
   */
  async publish(buildDir: string, { key, undo }: { key: string; undo: UndoStack }): Promise<Template> {
    try {
      await rename(buildDir, this.#getDir(key))
      undo.commit()
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
    await removeTrees([doomed])
  }

  /** Removes what was not used for `maxAgeDays`, then the least recently used beyond `maxBytes`. */
  async evict(limits: CacheLimits): Promise<Evictable[]> {
    const evictable = findEvictable(await this.list(), limits)
    for (const { key } of evictable) await this.remove(key)
    if (evictable.length > 0) log('evicted %o', evictable)
    return evictable
  }

  /** @returns every template and layer, newest use first; those that cannot be read are as if never used. */
  async list(): Promise<TemplateInfo[]> {
    const entries = await Promise.all((await readdir(this.#volume.templatesDir)).map((key) => this.#describe(key)))
    return entries.sort((a, b) => b.usedAt.localeCompare(a.usedAt))
  }

  async #describe(key: string): Promise<TemplateInfo> {
    try {
      const file = join(this.#getDir(key), manifestName)
      const manifest = await readManifest(this.#getDir(key))
      if ('problem' in manifest) return { ...unreadable, key }
      const { sealed, description, bytes, buildId, createdAt, buildMs, ingest } = manifest
      const usedAt = (await stat(file)).mtime.toISOString()
      return {
        key,
        sealed,
        description,
        bytes,
        isReadable: true,
        postgres: buildId,
        createdAt,
        usedAt,
        buildMs,
        byFastIngest: ingest !== undefined,
      }
    } catch {
      return { ...unreadable, key }
    }
  }

  #getDir(key: string): string {
    return join(this.#volume.templatesDir, key)
  }
}

const unreadable = {
  description: 'cannot be read',
  sealed: false,
  bytes: 0,
  isReadable: false,
  postgres: undefined,
  createdAt: undefined,
  usedAt: new Date(0).toISOString(),
  buildMs: undefined,
  byFastIngest: false,
}
