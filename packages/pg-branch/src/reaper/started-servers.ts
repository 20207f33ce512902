import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import * as v from 'valibot'
import type { ServerStart } from '../config/types.ts'
import { parseUrl } from '../lib/connection-uri.ts'
import { createRandomHex, hashValue } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import { requireOwnPlace } from '../lib/own-place.ts'
import { identifyProcess, isSameProcessAlive, type ProcessIdentity } from '../lib/processes.ts'
import { readRecord } from '../lib/record.ts'
import { writeWhole } from '../lib/write-whole.ts'
import type { ServerModule } from '../postgres/server-start.ts'

const log = createLog('servers')

interface StartedRecord {
  module: string
  owner: ProcessIdentity
}

const schema = v.object({ module: v.string(), owner: v.object({ pid: v.number(), startedAt: v.string() }) })

interface Started {
  name: string
  module: string
  url: string
}

const getRecordsDir = (stateDir: string) => join(stateDir, 'servers')

async function loadModule(module: string): Promise<ServerModule> {
  return (await import(module)) as ServerModule
}

/**
 * Servers that other packages started for this supervisor, one for each different request. Each has a
 * record on disk from before it is started until after it is removed, so that the reaper finds it.
 */
export class StartedServers {
  readonly #recordsDir: string
  readonly #started = new Map<string, Promise<Started>>()

  constructor(stateDir: string) {
    this.#recordsDir = getRecordsDir(stateDir)
  }

  /** @returns the URL of a running server: one that does not answer any more is replaced. */
  async getUrl(start: ServerStart, baseDir: string): Promise<string> {
    const key = hashValue([start, baseDir])
    const known = this.#started.get(key)
    const last = await known
    if (last !== undefined && (await isListening(last.url))) return last.url
    // Whoever finds it missing at the same moment waits for the same successor.
    if (this.#started.get(key) !== known) return this.getUrl(start, baseDir)
    const starting = this.#startAfter(last, { start, baseDir })
    this.#started.set(key, starting)
    try {
      return (await starting).url
    } catch (error) {
      if (this.#started.get(key) === starting) this.#started.delete(key)
      throw error
    }
  }

  async removeAll(): Promise<void> {
    const all = [...this.#started.values()]
    this.#started.clear()
    const remove = async (starting: Promise<Started>) => removeServer(this.#recordsDir, await starting)
    await Promise.all(all.map((starting) => remove(starting).catch(logFailure)))
  }

  async #startAfter(
    dead: Started | undefined,
    { start, baseDir }: { start: ServerStart; baseDir: string },
  ): Promise<Started> {
    if (dead !== undefined) {
      log('%s does not answer any more', dead.name)
      await removeServer(this.#recordsDir, dead).catch(logFailure)
    }
    const { module } = start
    const name = `pg-branch-${createRandomHex(6)}`
    const record: StartedRecord = { module, owner: await identifyProcess(process.pid) }
    makePrivateDir(this.#recordsDir)
    await writeWhole(join(this.#recordsDir, name), JSON.stringify(record), { mode: 0o600 })
    log('starting %s as %s', start.label, name)
    try {
      const { url } = await (await loadModule(module)).startServer(start.options, { name, baseDir })
      return { name, module, url }
    } catch (error) {
      await rm(join(this.#recordsDir, name), { force: true })
      throw error
    }
  }
}

/** Removes a server, and then its record. */
async function removeServer(recordsDir: string, { name, module }: Pick<Started, 'name' | 'module'>): Promise<void> {
  await (await loadModule(module)).removeServer(name)
  await rm(join(recordsDir, name), { force: true })
}

/** Removes the servers of dead supervisors. */
export async function reapStartedServers(stateDir: string): Promise<void> {
  const dir = getRecordsDir(stateDir)
  if (!existsSync(dir)) return
  // A module is run from what is read there.
  requireOwnPlace(dir)
  for (const name of (await readdir(dir)).filter((file) => !file.endsWith('.draft'))) {
    const record = await readRecord(join(dir, name), schema)
    if (record === undefined) continue
    try {
      const { module, owner } = record
      if (await isSameProcessAlive(owner)) continue
      log('removing %s', name)
      await removeServer(dir, { name, module })
    } catch (error) {
      logFailure(error)
    }
  }
}

function logFailure(error: unknown): void {
  log('a server could not be removed: %O', error)
}

function isListening(url: string): Promise<boolean> {
  const { host = '', port = 0 } = parseUrl(url) ?? {}
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 })
    const finish = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('timeout', () => finish(false))
  })
}
