import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import pg from 'pg'
import { ensureDebianPackages } from './debian.ts'
import { median, percentile, time } from './measure.ts'
import { withLease } from './resets.ts'

/** What a live snapshot costs those who write meanwhile, and who waits for it. */
export interface SnapshotFigures {
  load: string
  /** The longest that a writer waited for one commit around a snapshot. */
  pauseP50Ms: number
  pauseMaxMs: number
  snapshotMs: number
}

const rounds = 10

export async function measureSnapshots(volumePath: string): Promise<SnapshotFigures[]> {
  await ensureDebianPackages(['/usr/bin/pgbench'], ['postgresql-15'], { startServices: false })
  return withLease({ volumePath, scope: 'test' }, async ({ connection, leaseId, url }) => {
    await execa('pgbench', ['-i', '-q', '-s', '5', url])
    const measure = async (load: string): Promise<SnapshotFigures> => {
      const pauses: number[] = []
      const durations: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        const writer = await startWriter(url)
        await sleep(300)
        durations.push(await time(() => connection.call.snapshot({ leaseId, name: 'bench' })))
        await sleep(100)
        pauses.push(await writer.stop())
        await connection.call.dropSnapshot({ leaseId, name: 'bench' })
        await sleep(500)
      }
      return {
        load,
        pauseP50Ms: median(pauses),
        pauseMaxMs: percentile(pauses, 1),
        snapshotMs: median(durations),
      }
    }
    const idle = await measure('one writer')
    const pgbench = execa('pgbench', ['-n', '-c', '4', '-T', '600', url], { reject: false })
    await sleep(1_000)
    const busy = await measure('pgbench with 4 clients')
    pgbench.kill()
    await pgbench
    return [idle, busy]
  })
}

/** Commits one row after the other. */
async function startWriter(url: string): Promise<{ stop(): Promise<number> }> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS written (at timestamptz)')
  const state = { isRunning: true }
  let longestMs = 0
  const writing = (async () => {
    while (state.isRunning)
      longestMs = Math.max(longestMs, await time(() => client.query('INSERT INTO written VALUES (now())')))
  })()
  return {
    async stop() {
      state.isRunning = false
      await writing
      await client.end()
      return longestMs
    },
  }
}
