import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { makeVolume } from '../support/volumes.ts'

const accounts = 20_000
/** Pages are written out all the time, and checkpoints come one after the other: files that do not stand still show it. */
const settings = { shared_buffers: '1MB', max_wal_size: '2MB', min_wal_size: '2MB', bgwriter_delay: '10ms' }
const seed = `CREATE EXTENSION amcheck;
  CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, filler text);
  INSERT INTO accounts SELECT n, 1000, repeat('x', 600) FROM generate_series(1, ${accounts}) n;
  CREATE INDEX ON accounts (balance);
  CREATE TABLE journal (writer int, n int, PRIMARY KEY (writer, n));`

/** Moves money between accounts, one transaction after the other, each with a line in the journal. */
async function startWriter(url: string, writer: number): Promise<{ committed(): number; stop(): Promise<void> }> {
  const client = new pg.Client(url)
  await client.connect()
  const state = { isRunning: true, committed: 0 }
  const writing = (async () => {
    while (state.isRunning) {
      const [from, to] = [1, 2].map(() => 1 + Math.floor(Math.random() * accounts))
      await client.query(`BEGIN; INSERT INTO journal VALUES (${writer}, ${state.committed + 1});
        UPDATE accounts SET balance = balance - 1 WHERE id = ${Math.min(from ?? 1, to ?? 1)};
        UPDATE accounts SET balance = balance + 1 WHERE id = ${Math.max(from ?? 1, to ?? 1)}; COMMIT`)
      state.committed += 1
    }
  })()
  return {
    committed: () => state.committed,
    async stop() {
      state.isRunning = false
      await writing
      await client.end()
    },
  }
}

test.each([
  ['btrfs', 'btrfs'],
  ['reflink', 'xfs'],
  ['copy', 'ext4'],
  ['copy', 'tmpfs'],
] as const)(
  'driver %s on %s: a snapshot under writers is whole, and holds all that was committed before',
  async (_, fileSystem) => {
    await using volume = await makeVolume(fileSystem, 1_024)
    await using _home = makeHome()
    await using project = await makeProject({
      'migrations/1.sql': seed,
      'pg-branch.config.json': JSON.stringify({
        volume: { path: volume.path },
        pool: { size: 1 },
        postgres: { settings },
      }),
    })
    await using branch = await leaseBranch(project.dir, { scope: 'test' })
    const { call } = branch.connection
    const { leaseId } = branch
    for (let round = 0; round < 3; round += 1) {
      const writers = await Promise.all([0, 1, 2, 3].map((writer) => startWriter(branch.url, writer)))
      await sleep(300)
      const before = writers.map(({ committed }) => committed())
      await call.snapshot({ leaseId, name: 'live' })
      const after = writers.map(({ committed }) => committed())
      await sleep(50)
      await Promise.all(writers.map(({ stop }) => stop()))
      // Nobody was disturbed.
      expect(writers.every(({ committed }, index) => committed() > (before[index] ?? 0))).toBe(true)
      await call.reset({ leaseId, to: 'live' })
      const [money] = await branch.query('SELECT sum(balance)::int AS sum FROM accounts')
      expect(money).toEqual({ sum: accounts * 1_000 })
      await branch.query(
        `SELECT bt_index_parent_check(c.oid, true) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am a ON a.oid = c.relam
       WHERE a.amname = 'btree' AND c.relpersistence = 'p'`,
      )
      for (const [writer, least] of before.entries()) {
        const [journal] = await branch.query(
          `SELECT count(*)::int AS lines, max(n) AS last FROM journal WHERE writer = ${writer}`,
        )
        expect(journal?.lines).toBe(journal?.last)
        expect(journal?.last).toBeGreaterThanOrEqual(least)
        expect(journal?.last).toBeLessThanOrEqual((after[writer] ?? 0) + 1)
      }
      await call.reset({ leaseId, next: 'next' })
    }
  },
)
