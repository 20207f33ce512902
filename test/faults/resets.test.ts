import { readdirSync, readFileSync } from 'node:fs'
import { connect as openSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { serialize } from 'pg-protocol'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { readFingerprint } from '../support/fingerprint.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'
import { openWire } from '../support/wire.ts'

const seed = {
  'migrations/1.sql': `CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 200) n;
    CREATE TABLE u (id serial PRIMARY KEY, t int REFERENCES t); CREATE SEQUENCE s; CREATE ROLE app LOGIN;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SCHEMA other;`,
}

const reset = (branch: TestBranch, next = 'next') => branch.connection.call.reset({ leaseId: branch.leaseId, next })

async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** What tests do, some of it without a trace in the WAL. */
const reads = ['SELECT count(*) FROM t', 'SELECT * FROM t ORDER BY body LIMIT 5', `SET work_mem = '3MB'`]
const writes = [
  `BEGIN; INSERT INTO t VALUES (-1, 'gone'); ROLLBACK`,
  `INSERT INTO t VALUES (1000, 'new')`,
  `UPDATE t SET body = 'changed' WHERE id % 3 = 0`,
  'DELETE FROM t WHERE id > 100',
  'TRUNCATE t CASCADE',
  'INSERT INTO u (t) SELECT id FROM t LIMIT 10',
  `SELECT nextval('s'), nextval('u_id_seq')`,
  `SELECT setval('s', 1000)`,
  'CREATE TABLE v AS SELECT * FROM t',
  'CREATE UNLOGGED TABLE w (id int); INSERT INTO w VALUES (1)',
  'ALTER TABLE t ADD COLUMN more int DEFAULT 7',
  'DROP TABLE u',
  `CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'`,
  'CREATE ROLE another',
  `ALTER ROLE app VALID UNTIL '2030-01-01'`,
  `ALTER ROLE app SET work_mem = '1MB'`,
  'GRANT SELECT ON t TO app',
  `ALTER SYSTEM SET work_mem = '2MB'`,
  'SELECT lo_create(4711)',
  `COMMENT ON TABLE t IS 'what'`,
  'CREATE INDEX ON t (body)',
  'DROP SCHEMA other',
  'CREATE EXTENSION pg_trgm',
  'VACUUM t',
  'ANALYZE',
  'CREATE DATABASE another',
  'CREATE TEMP TABLE x AS SELECT * FROM t',
]

const rounds = countRounds(200)
const dumpEvery = 50

test(`${rounds} random resets: each branch is what a fresh fork is`, async () => {
  await ensureDebianPackages(['/usr/lib/postgresql/15/bin/pg_dumpall'], ['postgresql-15'], { startServices: false })
  await using _home = makeHome()
  await using project = await makeProject({
    ...seed,
    'pg-branch.config.json': '{ "postgres": { "provider": "system" }, "pool": { "size": 3 } }',
  })
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  const dump = async () => {
    const { stdout } = await execa('/usr/lib/postgresql/15/bin/pg_dumpall', ['--no-role-passwords', '-d', branch.url], {
      // It starts pg_dump for each database, and does not pass the password on.
      env: { PGPASSWORD: branch.variables.PGPASSWORD ?? '' },
      stdin: 'ignore',
    })
    // A random word against injected commands, since the minor versions of August 2025.
    return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '')
  }
  const pool = new pg.Pool({ connectionString: branch.url, max: 3 })
  pool.on('error', () => {})
  const rungs = { pristine: 0, fork: 0 }
  const failures: unknown[] = []
  const [fresh, freshDump] = await (async () => {
    await using client = await connect(branch.url)
    return [await readFingerprint(client), await dump()]
  })()
  for (let round = 0; round < rounds; round += 1) {
    const from = Math.random() < 0.25 ? reads : [...reads, ...writes]
    const made = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => pick(from))
    // One change may be in the way of the next: that is no error of ours.
    for (const text of made) await pool.query(text).catch((error: unknown) => isOurs(error) && failures.push(error))
    const { rung } = await reset(branch, `round ${round}`)
    rungs[rung] += 1
    await using client = await connect(branch.url)
    expect(await readFingerprint(client), `${rung} after ${made.join('; ')}`).toBe(fresh)
    if (round % dumpEvery === 0) expect(await dump(), `${rung} after ${made.join('; ')}`).toBe(freshDump)
  }
  await pool.end()
  expect(failures).toEqual([])
  expect(rungs.pristine).toBeGreaterThan(rounds / 20)
  expect(rungs.fork).toBeGreaterThan(rounds / 4)
}, 3_600_000)

const pick = (from: string[]) => from[Math.floor(Math.random() * from.length)] ?? ''

/** Errors of the connection, not of the statement. */
function isOurs(error: unknown): boolean {
  const { code = 'none' } = error as { code?: string }
  return !/^(42|23|25|55|0A|2B|22|3F|3D)/.test(code)
}

/** The supervisor's open files, which connections are. */
const countOpenFiles = (home: TestHome) => readdirSync(`/proc/${home.supervisorPid() ?? 0}/fd`).length

test('ten thousand connections, ended in every way, leave nothing', async () => {
  await using home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  const port = Number(new URL(branch.url).port)
  const open = (index: number) =>
    new Promise<void>((resolve) => {
      const socket = openSocket(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
      socket.on('connect', () => {
        if (index % 4 === 0) return void socket.destroy()
        if (index % 4 === 1) socket.write('not the protocol at all')
        else socket.write(serialize.startup({ user: 'postgres', database: 'postgres' }))
        if (index % 4 === 2) setTimeout(() => socket.destroy(), 2)
        else socket.end()
      })
    })
  // Branches that are made ahead keep a connection of ours each.
  await sleep(200)
  const countWarming = async () => (await branch.connection.call.status()).projects[0]?.pool.warming
  await expect.poll(countWarming, { timeout: 20_000 }).toBe(0)
  const before = countOpenFiles(home)
  for (let batch = 0; batch < 100; batch += 1) await Promise.all(Array.from({ length: 100 }, (_, index) => open(index)))
  // And some that log in, for which the server starts a process each.
  for (let count = 0; count < 100; count += 1) {
    const wire = await openWire(branch.url)
    if (count % 2 === 0) wire.close()
    else wire.socket.destroy()
  }
  await expect.poll(() => countOpenFiles(home), { timeout: 10_000 }).toBeLessThanOrEqual(before + 2)
  // The server sees the end of a connection when it next reads from it.
  const listConnections = async () =>
    (await branch.connection.call.getActivity({ leaseId: branch.leaseId })).connections
  await expect.poll(listConnections, { timeout: 10_000 }).toEqual([])
  const countBackends = () =>
    branch.query(
      'SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = $$client backend$$ AND pid <> pg_backend_pid() AND application_name <> $$pg-branch$$',
    )
  await expect.poll(countBackends, { timeout: 10_000 }).toEqual([{ n: 0 }])
})

test('a client that vanishes in the middle of a COPY: the next test is not disturbed', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  for (const text of [
    'COPY t FROM STDIN',
    'COPY (SELECT repeat($$x$$, 1000) FROM generate_series(1, 1000000)) TO STDOUT',
  ]) {
    const wire = await openWire(branch.url)
    wire.send(serialize.query(text))
    await wire.until(text.includes('STDIN') ? 'G' : 'd')
    if (text.includes('STDIN')) wire.send(serialize.copyData(Buffer.from('5000\thalf')))
    wire.socket.destroy()
    await reset(branch)
    expect(await branch.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 200 }])
  }
})

test('a backend that is killed: its client is told, and the next test has a whole branch', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url)
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  await client.query('DELETE FROM t')
  const ended = new Promise((resolve) => client.once('error', resolve))
  process.kill(rows[0]?.pid ?? 0, 'SIGKILL')
  expect(String(await ended)).toMatch(/terminated/)
  await sleep(100)
  await reset(branch)
  expect(await branch.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 200 }])
})

/** The postmaster of the branch that is behind an address now. */
async function findPostmaster(branch: TestBranch): Promise<number> {
  const [row] = await branch.query('SELECT pg_backend_pid() AS pid, current_setting($$data_directory$$) AS dir')
  return Number(readFileSync(`${String(row?.dir)}/postmaster.pid`, 'utf8').split('\n')[0])
}

test('the whole server of a branch is killed: the next test has another', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  const pool = new pg.Pool({ connectionString: branch.url, max: 2 })
  pool.on('error', () => {})
  await pool.query('DELETE FROM t')
  process.kill(await findPostmaster(branch), 'SIGKILL')
  await sleep(200)
  await reset(branch)
  expect((await pool.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 200 }])
  await pool.end()
})

test('no fresh branch can be had: the test is told, and the pool stays on the old one', async () => {
  await using home = makeHome()
  await using project = await makeProject({ ...seed, 'pg-branch.config.json': '{ "pool": { "size": 0 } }' })
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  const pool = new pg.Pool({ connectionString: branch.url, max: 3 })
  await Promise.all([1, 2, 3].map(() => pool.query('SELECT pg_sleep(0.05)')))
  await pool.query('DELETE FROM t WHERE id > 10')
  // Every server that starts from now on finds nothing to run.
  const binary = `${readBinDir(home)}/postgres`
  await execa('mv', [binary, `${binary}.away`])
  try {
    await expect(reset(branch)).rejects.toThrow(/did not start|ENOENT/)
    const counts = await Promise.all([1, 2, 3].map(() => pool.query('SELECT count(*)::int AS n FROM t')))
    expect(counts.map(({ rows }) => (rows[0] as { n: number }).n)).toEqual([10, 10, 10])
  } finally {
    await execa('mv', [`${binary}.away`, binary])
  }
  expect(await reset(branch)).toMatchObject({ rung: 'fork' })
  expect((await pool.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 200 }])
  await pool.end()
})

/** Where this home's copy of the binaries is: another's must not be touched. */
function readBinDir(home: TestHome): string {
  const base = `${home.stateDir}/postgres`
  const [name = ''] = readdirSync(base)
  return `${base}/${name}/bin`
}
