import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { createLog } from '../lib/log.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import { createExpiryTimer } from './expiry-timer.ts'
import type { Surrendered } from './pool.ts'

const log = createLog('branch')

/** A branch that outlives its lease so that somebody can look at it. */
export interface KeptBranch extends Surrendered {
  /** Names the template that it comes from. */
  templateKey: string
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
  if (!existsSync(dir)) makePrivateDir(dir)
  const fields = [host, String(port), '*', user, password].map((field) => field.replaceAll(/[\\:]/g, '\\$&'))
  writeFileSync(file, `${fields.join(':')}\n`, { mode: 0o600 })
  return `PGPASSFILE=${quote(file)} psql -h ${quote(host)} -p ${port} -U ${quote(user)} ${quote(database)}`
}

/** For a shell, only where it must be. */
function quote(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The branches of failed tests: the newest `max`, each until it expires. */
export class KeptBranches {
  readonly #kept: KeptBranch[] = []
  readonly #timer = createExpiryTimer(() => this.#expire())

  get list(): readonly KeptBranch[] {
    return this.#kept
  }

  async add(kept: KeptBranch, max: number): Promise<void> {
    this.#kept.unshift(kept)
    const surplus = this.#kept.splice(max)
    this.#schedule()
    await discardAll(surplus)
  }

  async discardAll(): Promise<void> {
    this.#timer.stop()
    await discardAll(this.#kept.splice(0))
  }

  #schedule(): void {
    this.#timer.set(this.#kept.map(({ expiresAt }) => expiresAt))
  }

  async #expire(): Promise<void> {
    const now = Date.now()
    const expired = this.#kept.filter(({ expiresAt }) => expiresAt <= now)
    for (const kept of expired) this.#kept.splice(this.#kept.indexOf(kept), 1)
    this.#schedule()
    await discardAll(expired)
  }
}

/** What cannot be removed now is nobody's test's fault: the reaper finds it. */
async function discardAll(kept: KeptBranch[]): Promise<void> {
  for (const { branch, discard } of kept) {
    await discard().catch((error: unknown) => log('%s is not discarded: %O', branch.id, error))
  }
}
