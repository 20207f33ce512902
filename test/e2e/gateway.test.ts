import { connect as openSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, test } from 'vitest'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { makeServer } from '../support/server.ts'
import { createCancel } from '../support/wire.ts'

const seed = {
  'migrations/1.sql': `CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (1, 'one');
    CREATE SEQUENCE s; CREATE ROLE reader LOGIN PASSWORD 'known'; GRANT SELECT ON t TO reader; CREATE DATABASE other;`,
}

const reset = (branch: TestBranch, next: string, to?: string) =>
  branch.connection.call.reset({ leaseId: branch.leaseId, next, to })
const fresh = { rung: 'fork', leftOver: [] }
const untouched = { rung: 'pristine', leftOver: [] }
const change = 'INSERT INTO t VALUES (2)'

async function connect(url: string, options: pg.ClientConfig = {}): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url, ...options })
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

const count = async (client: pg.Client | pg.Pool) =>
  (await client.query<{ n: number }>('SELECT count(*)::int AS n FROM t')).rows[0]?.n

test('an open pool comes along to a fresh branch, and stays where nothing was written', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  const pool = new pg.Pool({ connectionString: branch.url, max: 3 })
  try {
    await Promise.all([count(pool), count(pool), count(pool)])
    expect(await reset(branch, 'first')).toEqual(untouched)
    await pool.query(change)
    expect(await count(pool)).toBe(2)
    expect(await reset(branch, 'second')).toEqual(fresh)
    expect(await Promise.all([count(pool), count(pool), count(pool)])).toEqual([1, 1, 1])
    expect(await reset(branch, 'third')).toEqual(untouched)
    expect(pool.totalCount).toBe(3)
  } finally {
    await pool.end()
  }
})

test('what a session has comes along: settings, roles, prepared statements, channels', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url, { application_name: 'app', options: '-c work_mem=3MB' })
  const named = (id: number) =>
    client.query<{ body: string }>({ name: 'by id', text: 'SELECT body FROM t WHERE id = $1', values: [id] })
  const heard: string[] = []
  client.on('notification', ({ channel, payload }) => heard.push(`${channel}: ${payload ?? ''}`))
  await client.query(`SET search_path = pg_catalog, public; SET TimeZone = 'Asia/Tokyo'; SET "my.tenant" = 'it''s 7'`)
  await client.query('LISTEN "Odd Channel"')
  await client.query('PREPARE plain(int) AS SELECT $1 + 1 AS n')
  expect((await named(1)).rows).toEqual([{ body: 'one' }])
  await client.query(`UPDATE t SET body = 'changed'; SET ROLE reader`)
  expect(await reset(branch, 'next')).toEqual(fresh)
  const { rows } =
    await client.query(`SELECT current_user AS role, session_user AS user, current_setting('work_mem') AS memory,
    current_setting('search_path') AS path, current_setting('TimeZone') AS zone, current_setting('my.tenant') AS tenant,
    current_setting('application_name') AS app`)
  expect(rows).toEqual([
    {
      role: 'reader',
      user: 'postgres',
      memory: '3MB',
      path: 'pg_catalog, public',
      zone: 'Asia/Tokyo',
      tenant: "it's 7",
      app: 'app',
    },
  ])
  expect((await named(1)).rows).toEqual([{ body: 'one' }])
  expect((await client.query('EXECUTE plain(41)')).rows).toEqual([{ n: 42 }])
  await branch.query(`NOTIFY "Odd Channel", 'hello'`)
  await sleep(200)
  expect(heard).toEqual(['Odd Channel: hello'])
  await client.query('RESET ROLE')
  await client.query(`DELETE FROM t`)
  // Whoever only listens is brought along at once.
  expect(await reset(branch, 'next')).toEqual(fresh)
  await sleep(300)
  await branch.query(`NOTIFY "Odd Channel", 'again'`)
  await sleep(200)
  expect(heard).toEqual(['Odd Channel: hello', 'Odd Channel: again'])
})

test('other roles and databases of the branch are behind the same address', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using reader = await connect(branch.url, { connectionString: branch.url.replace(/\/\/.*@/, '//reader:known@') })
  await using other = await connect(branch.url.replace(/\/[^/]*$/, '/other'))
  await other.query('CREATE TABLE here ()')
  expect(await reset(branch, 'next')).toEqual(fresh)
  expect((await reader.query('SELECT session_user AS user')).rows).toEqual([{ user: 'reader' }])
  await expect(reader.query(change)).rejects.toThrow(/permission denied/)
  await expect(other.query('SELECT FROM here')).rejects.toThrow(/does not exist/)
  await expect(connect(branch.url.replace(/\/\/.*@/, '//reader:wrong@'))).rejects.toThrow(
    /password authentication failed/,
  )
})

const obstacles: Array<[what: string, sql: string, reason: RegExp]> = [
  ['a transaction', 'BEGIN; SELECT 1', /a transaction was left open by the test "the culprit"/],
  ['a temporary table', 'CREATE TEMP TABLE scratch (id int)', /the temporary table scratch was left open/],
  ['a cursor', 'BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT', /a cursor WITH HOLD was left open/],
  ['an advisory lock', 'SELECT pg_advisory_lock(1)', /an advisory lock was left open/],
  ['a statement', 'SELECT pg_sleep(60)', /a statement that still runs was left open/],
]

test('what cannot move ends with an error that names the test', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  for (const [, sql, reason] of obstacles) {
    await reset(branch, 'the culprit')
    await using client = await connect(branch.url, { application_name: 'app' })
    const lost = new Promise<Error & { code?: string }>((resolve) => client.once('error', resolve))
    const query = client.query(sql).catch((error: unknown) => error)
    if (sql.includes('sleep')) await sleep(50)
    else await query
    const { leftOver } = await reset(branch, 'next')
    expect(leftOver).toEqual([{ application: 'app', phase: 'the culprit', what: expect.any(String) as string }])
    const error = (sql.includes('sleep') ? await query : await lost) as Error & { code?: string }
    expect(error.message).toMatch(reason)
    expect(error.code).toBe('57P01')
  }
})

const writes: Array<[what: string, sql: string, isPristine: boolean]> = [
  ['a read', 'SELECT * FROM t', true],
  ['a setting of the session', `SET work_mem = '1MB'`, true],
  ['a notification that nobody hears', `SELECT 1`, true],
  ['a row', change, false],
  ['a row that was rolled back', `BEGIN; ${change}; ROLLBACK`, false],
  ['a sequence', `SELECT nextval('s')`, false],
  ['a setting of the server', `ALTER SYSTEM SET work_mem = '1MB'`, false],
  ['a setting of a role', `ALTER ROLE reader SET work_mem = '1MB'`, false],
  ['a large object', `SELECT lo_create(0)`, false],
  ['an unlogged table', `CREATE UNLOGGED TABLE u (id int)`, false],
]

test('only a branch that nothing was written to is taken for fresh', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url)
  for (const [what, sql, isPristine] of writes) {
    await client.query(sql)
    expect(await reset(branch, 'next'), what).toEqual(isPristine ? untouched : fresh)
    expect((await client.query(`SELECT current_setting('fsync') AS fsync, is_called FROM s`)).rows).toEqual([
      { fsync: 'off', is_called: false },
    ])
  }
  // Without anyone connected any more.
  await branch.query(change)
  await client.end()
  expect(await reset(branch, 'next')).toEqual(fresh)
})

test('an unlogged table in the template is changed without a trace: such a branch is never taken for fresh', async () => {
  await using _home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': 'CREATE UNLOGGED TABLE t (id int)' })
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url)
  expect(await count(client)).toBe(0)
  expect(await reset(branch, 'next')).toEqual(fresh)
})

test('a cancel request reaches the branch that is behind the connection now', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url)
  await client.query(change)
  expect(await reset(branch, 'next')).toEqual(fresh)
  await client.query('SELECT 1')
  const query = client.query('SELECT pg_sleep(60)')
  await sleep(100)
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  openSocket(Number(new URL(branch.url).port), '127.0.0.1').end(createCancel(processID, secretKey))
  await expect(query).rejects.toThrow(/canceling statement due to user request/)
})

test('snapshots of snapshots, ten deep, whose parents are gone; forks of them', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url)
  const { call } = branch.connection
  const { leaseId } = branch
  for (let depth = 2; depth <= 11; depth += 1) {
    await client.query('INSERT INTO t VALUES ($1)', [depth])
    await call.snapshot({ leaseId, name: `deep ${depth}` })
    await call.reset({ leaseId, to: `deep ${depth}` })
    await call.dropSnapshot({ leaseId, name: `deep ${depth - 1}` })
    expect(await count(client)).toBe(depth)
  }
  const fork = await call.fork({ leaseId, holder: 'a test' })
  expect(await branch.query('SELECT count(*)::int AS n FROM t', fork.variables.DATABASE_URL)).toEqual([{ n: 11 }])
  await call.reset({ leaseId, next: 'next' })
  expect(await count(client)).toBe(1)
  await branch.query(change, fork.variables.DATABASE_URL).catch(() => {})
  await call.reset({ leaseId: fork.leaseId, next: 'next' })
  expect(await branch.query('SELECT count(*)::int AS n FROM t', fork.variables.DATABASE_URL)).toEqual([{ n: 11 }])
  await call.release({ leaseId: fork.leaseId })
  await expect(call.reset({ leaseId: fork.leaseId })).rejects.toThrow(/does not hold that lease/)
})

test('after a restore: sequences and what random() yields are as they were, statistics begin anew', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await using client = await connect(branch.url)
  const { call } = branch.connection
  const { leaseId } = branch
  const next = async () => (await client.query<{ n: string }>(`SELECT nextval('s') AS n`)).rows[0]?.n
  expect([await next(), await next()]).toEqual(['1', '2'])
  await call.snapshot({ leaseId, name: 'two' })
  expect([await next(), await next()]).toEqual(['3', '4'])
  await call.reset({ leaseId, to: 'two' })
  expect(await next()).toBe('3')
  const draw = async () => (await client.query(`SELECT setseed(0.5), random()`)).rows
  const first = await draw()
  await call.reset({ leaseId, to: 'two' })
  expect(await draw()).toEqual(first)
  const { rows } = await client.query(`SELECT coalesce(sum(n_tup_ins), 0)::int AS n FROM pg_stat_user_tables`)
  expect(rows).toEqual([{ n: 0 }])
})

test('who has which connection is known, and told when there is room for no more', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...seed,
    'pg-branch.config.json': JSON.stringify({
      postgres: { settings: { max_connections: '8', superuser_reserved_connections: '0', reserved_connections: '0' } },
    }),
  })
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await reset(branch, 'the greedy one')
  const pool = new pg.Pool({ connectionString: branch.url, max: 20, application_name: 'api' })
  pool.on('error', () => {})
  try {
    // Some are there before the others come.
    const held = [await pool.connect(), await pool.connect(), await pool.connect()]
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => pool.query('SELECT pg_sleep(0.5)')))
    for (const client of held) client.release()
    const failure = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    expect(failure.reason).toMatchObject({
      code: '53300',
      detail: expect.stringMatching(
        /\d × postgres \(api\), (active|idle), opened by the test "the greedy one"/,
      ) as string,
    })
    const { connections } = await branch.connection.call.getActivity({ leaseId: branch.leaseId })
    expect(connections[0]).toMatchObject({ user: 'postgres', application: 'api', openedBy: 'the greedy one' })
  } finally {
    await pool.end()
  }
})

test('a client of the server strategy has the same, on databases of one server', async () => {
  await using _home = makeHome()
  await using server = await makeServer()
  await using project = await makeProject({
    'migrations/1.sql': `CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (1, 'one')`,
    'pg-branch.config.json': JSON.stringify({ server: server.url }),
  })
  await using branch = await leaseBranch(project.dir, { scope: 'test', withheld: { ADMIN_URL: server.url } })
  await using client = await connect(branch.url)
  await client.query(change)
  expect(await reset(branch, 'next')).toEqual(fresh)
  expect(await count(client)).toBe(1)
  await client.query(change)
  await branch.connection.call.snapshot({ leaseId: branch.leaseId, name: 'two' })
  await client.query('DELETE FROM t')
  await branch.connection.call.reset({ leaseId: branch.leaseId, to: 'two' })
  expect(await count(client)).toBe(2)
  await client.query('BEGIN')
  await expect(branch.connection.call.snapshot({ leaseId: branch.leaseId, name: 'open' })).rejects.toThrow(
    /cannot be saved while others are connected/,
  )
  expect((await client.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  await expect(connect(branch.url.replace(/\/[^/]*$/, '/postgres'))).rejects.toThrow(/not part of this branch/)
})
