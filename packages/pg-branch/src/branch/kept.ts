import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { createLog } from '../lib/log.ts'
import type { Branch } from './contract.ts'

const log = createLog('branch')

/** A branch that outlives its lease so that somebody can look at it. */
export interface KeptBranch {
  branch: Branch
  /** What it was kept for, e.g. a test's name. */
  reason: string
  expiresAt: number
}

const passwordFileName = 'pgpass'

/**
 * @returns a command that opens the branch. The password is in a file that only the user can read
 * (postgresql.org, "The Password File"), so that it stands in no log and no list of processes.
 */
export function createPsqlLine({
  dir,
  host,
  port,
  user,
  password,
  database,
}: DatabaseAddress & { dir: string }): string {
  const file = join(dir, passwordFileName)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const fields = [host, String(port), '*', user, password].map((field) => field.replaceAll(/[\\:]/g, '\\$&'))
  writeFileSync(file, `${fields.join(':')}\n`, { mode: 0o600 })
  const name = /^[\w.-]+$/.test(database) ? database : `'${database.replaceAll("'", `'\\''`)}'`
  return `PGPASSFILE=${file} psql -h ${host} -p ${port} -U ${user} ${name}`
}

/** The branches of failed tests: the newest `max`, each until it expires. */
export class KeptBranches {
  readonly #discard: (branches: Branch[]) => Promise<void>
  readonly #kept: KeptBranch[] = []
  #timer: NodeJS.Timeout | undefined

  constructor({ discard }: { discard: (branches: Branch[]) => Promise<void> }) {
    // What cannot be removed now is nobody's test's fault: the reaper finds it.
    this.#discard = (branches) => discard(branches).catch((error: unknown) => log('not discarded: %O', error))
  }

  get list(): readonly KeptBranch[] {
    return this.#kept
  }

  async add(kept: KeptBranch, max: number): Promise<void> {
    this.#kept.unshift(kept)
    const surplus = this.#kept.splice(max)
    this.#schedule()
    await this.#discard(surplus.map(({ branch }) => branch))
  }

  async discardAll(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#discard(this.#kept.splice(0).map(({ branch }) => branch))
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const next = Math.min(...this.#kept.map(({ expiresAt }) => expiresAt))
    if (!Number.isFinite(next)) return
    this.#timer = setTimeout(() => void this.#expire(), Math.max(0, next - Date.now()))
  }

  async #expire(): Promise<void> {
    const now = Date.now()
    const expired = this.#kept.filter(({ expiresAt }) => expiresAt <= now)
    for (const kept of expired) this.#kept.splice(this.#kept.indexOf(kept), 1)
    this.#schedule()
    await this.#discard(expired.map(({ branch }) => branch))
  }
}
