import { setTimeout as sleep } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/node-postgres'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import postgres from 'postgres'
import { connectSupervisor, withSentinel, type Connection, type LeaseRequest } from 'pg-branch/client'
import { inOwnHome, writeProject } from './branches.ts'
import { median, percentile, readCpuMs, time } from './measure.ts'

/** What resets of one kind of pool cost. */
export interface ResetFigures {
  client: string
  resets: number
  /** Ten connections used, a row written: reset to a fresh branch that was made ahead. */
  forkP50Ms: number
  forkP95Ms: number
  /** The first query after it. */
  firstQueryMs: number
  /** Ten connections used, nothing written. */
  pristineP50Ms: number
  pristineP95Ms: number
  /** Errors that reached a query, of all. */
  errors: number
}

/** What resets cost one right after the other. */
export interface SustainedFigures {
  way: string
  perSecond: number
  cpuMs: number
}

interface Client {
  name: string
  /** Runs a statement on whichever connection is free. */
  run(text: string): Promise<unknown>
  end(): Promise<void>
}

const connections = 10

export const clients: Record<string, (url: string) => Client> = {
  pg(url) {
    const pool = new pg.Pool({ connectionString: url, max: connections })
    return { name: 'pg', run: (text) => pool.query(text), end: () => pool.end() }
  },
  'postgres.js'(url) {
    const client = postgres(url, { max: connections, onnotice: () => {} })
    return { name: 'postgres.js', run: (text) => client.unsafe(text), end: () => client.end() }
  },
  drizzle(url) {
    const pool = new pg.Pool({ connectionString: url, max: connections })
    const db = drizzle(pool)
    return { name: 'drizzle', run: (text) => db.execute(sql.raw(text)), end: () => pool.end() }
  },
}

export interface Lease {
  connection: Connection
  leaseId: string
  /** What it was asked for with. */
  request: Omit<LeaseRequest, 'scope'>
  url: string
  reset(): Promise<unknown>
  /** Resolves when a branch is ready. */
  warm(): Promise<void>
}

/** Runs `action` with a lease of a project with a table of 10 MB. */
export function withLease<T>(
  { volumePath, scope }: { volumePath: string; scope: 'file' | 'test' },
  action: (lease: Lease) => Promise<T>,
): Promise<T> {
  return inOwnHome(async (rootDir) => {
    await writeProject({ rootDir, volumePath, sizeMb: 10 }, 3)
    const connection = await connectSupervisor()
    const env = withSentinel(process.env)
    const request = { rootDir, options: {}, env, withheld: {}, runId: 'bench', holder: 'bench' }
    const answer = await connection.call.lease({ ...request, scope })
    const { leaseId, variables } = answer
    try {
      return await action({
        connection,
        leaseId,
        request,
        url: variables.DATABASE_URL ?? '',
        reset: () => connection.call.reset({ leaseId, next: 'bench' }),
        async warm() {
          while (((await connection.call.status()).projects[0]?.pool.ready ?? 0) < 2) await sleep(20)
        },
      })
    } finally {
      connection.close()
    }
  })
}

export async function measureResets(
  lease: Lease,
  createClient: (url: string) => Client,
  rounds: number,
): Promise<ResetFigures> {
  const client = createClient(lease.url)
  const forks: number[] = []
  const pristine: number[] = []
  const firsts: number[] = []
  let errors = 0
  const run = (text: string) => client.run(text).catch(() => (errors += 1))
  const useAll = () => Promise.all(Array.from({ length: connections }, () => run('SELECT pg_sleep(0.005)')))
  for (let round = 0; round < rounds; round += 1) {
    await useAll()
    await lease.warm()
    pristine.push(await time(() => lease.reset()))
    await run(`INSERT INTO t VALUES (-1, 'new')`)
    forks.push(await time(() => lease.reset()))
    firsts.push(await time(() => run('SELECT 1')))
  }
  await client.end()
  return {
    client: client.name,
    resets: rounds * 2,
    forkP50Ms: median(forks.slice(1)),
    forkP95Ms: percentile(forks.slice(1), 0.95),
    firstQueryMs: median(firsts),
    pristineP50Ms: median(pristine.slice(1)),
    pristineP95Ms: percentile(pristine.slice(1), 0.95),
    errors,
  }
}

/** One test after the other that uses two connections and is over at once. */
export async function measureSustained(lease: Lease, rounds: number): Promise<SustainedFigures[]> {
  const client = clients.pg?.(lease.url) as Client
  const measure = async (way: string, test: string, reset: () => Promise<unknown>): Promise<SustainedFigures> => {
    await sleep(1_000)
    const cpuBefore = readCpuMs()
    const elapsedMs = await time(async () => {
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all([client.run(test), client.run('SELECT 1')])
        await reset()
      }
    })
    return { way, perSecond: (rounds * 1_000) / elapsedMs, cpuMs: (readCpuMs() - cpuBefore) / rounds }
  }
  const write = `INSERT INTO t VALUES (-1, 'new')`
  const figures = [
    await measure('nothing written', 'SELECT count(*) FROM t WHERE id < 10', () => lease.reset()),
    await measure('a row written', write, () => lease.reset()),
  ]
  await client.run('CREATE TABLE changed (id int PRIMARY KEY, x text)')
  const other = write.replace('INTO t', 'INTO changed')
  figures.push(await measure('TRUNCATE of the changed table', other, () => client.run('TRUNCATE changed')))
  await client.end()
  return figures
}
