import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { formatUrl, type DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { downForMs, retryWhileDown } from './shared-server.ts'

const log = createLog('locks')

/** First half of an advisory lock's key: the letters `pgb` and what is locked. */
export const lockKinds = {
  branch: 0x70676262,
  build: 0x70676264,
  template: 0x70676274,
  slot: 0x70676273,
  reaper: 0x70676272,
} as const
export type LockKind = keyof typeof lockKinds

const reconnectMs = 250

/**
 * Advisory locks of one session, which tell every machine that uses a server what is alive: when this
 * process, or its machine, dies, the server ends the session and the locks are free.
 *
 * States: *open* → *lost* (the server restarted, or the network broke; whatever is asked waits) → *open*
 * with every lock taken again … → *closed*.
 */
export class AdvisoryLocks {
  readonly #address: DatabaseAddress
  readonly #held = new Map<string, { kind: LockKind; id: number }>()
  #session: Promise<pg.Client>
  /** The session while it is *open*. */
  #client: pg.Client | undefined
  #closed = false

  constructor(address: DatabaseAddress) {
    this.#address = address
    this.#session = this.#open()
    this.#session.catch(() => {})
  }

  /** Waits until nobody else holds it. */
  async lock(kind: LockKind, id: number): Promise<void> {
    await this.#query('SELECT pg_advisory_lock($1, $2)', [lockKinds[kind], id])
    this.#held.set(`${kind} ${id}`, { kind, id })
  }

  /** @returns the one of `ids` that was free and is locked now, if any. */
  async tryLockOne(kind: LockKind, ids: number[]): Promise<number | undefined> {
    const own = ids.filter((id) => !this.#held.has(`${kind} ${id}`))
    const { rows } = await this.#query(
      'SELECT id FROM unnest($2::int[]) AS id WHERE pg_try_advisory_lock($1, id) LIMIT 1',
      [lockKinds[kind], own],
    )
    const id = (rows[0] as { id: number } | undefined)?.id
    if (id !== undefined) this.#held.set(`${kind} ${id}`, { kind, id })
    return id
  }

  async unlock(kind: LockKind, id: number): Promise<void> {
    if (!this.#held.delete(`${kind} ${id}`) || this.#closed) return
    await this.#query('SELECT pg_advisory_unlock($1, $2)', [lockKinds[kind], id])
  }

  /** @returns who holds the locks of a kind, on whatever machine. */
  async listHolders(kind: LockKind): Promise<Array<{ id: number; holder: string }>> {
    const { rows } = await this.#query(
      `SELECT objid::bigint AS id, application_name AS holder
       FROM pg_locks JOIN pg_stat_activity USING (pid)
       WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND granted`,
      [lockKinds[kind]],
    )
    return (rows as Array<{ id: string; holder: string }>).map(({ id, holder }) => ({ id: Number(id) | 0, holder }))
  }

  async close(): Promise<void> {
    this.#closed = true
    await (await this.#session.catch(() => undefined))?.end().catch(() => {})
  }

  /** Tries again in the next session if one is cut off; what the server refuses itself is an error. */
  #query(text: string, values: unknown[]): Promise<pg.QueryResult> {
    return retryWhileDown(async () => {
      const client = this.#client ?? (await Promise.race([this.#session, rejectLater()]))
      return client.query(text, values)
    })
  }

  async #open(): Promise<pg.Client> {
    for (;;) {
      const client = new pg.Client({
        connectionString: formatUrl(this.#address),
        application_name: `pg-branch ${hostname()} ${process.pid}`.slice(0, 63),
        // A machine that vanishes without a word is noticed within half a minute.
        options: '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3',
        keepAlive: true,
      })
      client.on('error', (error) => log('session lost: %s', error.message))
      try {
        await client.connect()
        for (const { kind, id } of this.#held.values()) {
          await client.query('SELECT pg_try_advisory_lock($1, $2)', [lockKinds[kind], id])
        }
        client.once('end', () => this.#reopen())
        this.#client = client
        return client
      } catch (error) {
        await client.end().catch(() => {})
        if (this.#closed) throw error
        await sleep(reconnectMs)
      }
    }
  }

  #reopen(): void {
    this.#client = undefined
    if (this.#closed) return
    this.#session = this.#open()
    this.#session.catch(() => {})
  }
}

async function rejectLater(): Promise<never> {
  await sleep(downForMs, undefined, { ref: false })
  throw new PgBranchError(`the server has been away for ${downForMs / 1000} s`, {
    code: 'PGB_SERVER',
    hint: 'It was stopped, or the network broke, in mid-run. The next lease tries it again.',
  })
}
