import { execa } from 'execa'
import pg from 'pg'
import { ensureDebianPackages } from './debian.ts'
import { median, time } from './measure.ts'
import { withLease, type Lease } from './resets.ts'

/** Straight to the branch, and through the gateway. */
export interface OverheadFigures {
  way: string
  queryP50Ms: number
  /** pgbench -S, two clients. */
  transactionsPerSecond: number
}

const queries = 3_000
const pgbenchSeconds = 8

/** In turns on both, so that a noisy minute hits both. */
export async function measureOverhead(volumePath: string): Promise<OverheadFigures[]> {
  await ensureDebianPackages(['/usr/bin/pgbench'], ['postgresql-15'], { startServices: false })
  return withLease({ volumePath, scope: 'file' }, (direct) =>
    withSecondLease(direct, async (proxied) => {
      const ways = [
        { way: 'direct', url: direct.url, times: [] as number[], rates: [] as number[] },
        { way: 'through the gateway', url: proxied, times: [] as number[], rates: [] as number[] },
      ]
      for (const { url } of ways) await execa('pgbench', ['-i', '-q', '-s', '1', url])
      for (let turn = 0; turn < 3; turn += 1) {
        for (const { url, times, rates } of ways) {
          const client = new pg.Client(url)
          await client.connect()
          for (let count = 0; count < queries / 3; count += 1) times.push(await time(() => client.query('SELECT 1')))
          await client.end()
          const { stdout } = await execa('pgbench', ['-S', '-n', '-c', '2', '-T', String(pgbenchSeconds), url])
          rates.push(Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]))
        }
      }
      return ways.map(({ way, times, rates }) => ({
        way,
        queryP50Ms: median(times),
        transactionsPerSecond: median(rates),
      }))
    }),
  )
}

async function withSecondLease<T>(first: Lease, action: (url: string) => Promise<T>): Promise<T> {
  const { connection, request } = first
  const second = await connection.call.lease({ ...request, scope: 'test', holder: 'bench, through the gateway' })
  try {
    return await action(second.variables.DATABASE_URL ?? '')
  } finally {
    await connection.call.release({ leaseId: second.leaseId })
  }
}
