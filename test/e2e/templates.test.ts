import { execa } from 'execa'
import { expect, test } from 'vitest'
import { findBuilds, leaseBranch, listPhases } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

const config = (seed: string, rest = '') => `import { command, defineConfig, sql } from 'pg-branch'
export default defineConfig({ seed: [${seed}], ${rest} })
`

test('a changed last step re-runs only that step, and says why', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': config(
      "sql('schema.sql'), command('node count.mjs', { inputs: ['count.mjs'] }), async ({ client }) => { await client.query('INSERT INTO log VALUES (1)') }",
    ),
    'schema.sql': 'CREATE TABLE log (n int); CREATE TABLE runs AS SELECT 1 AS n;',
    'count.mjs': `import pg from 'pg'; const c = new pg.Client(process.env.DATABASE_URL); await c.connect(); await c.query('UPDATE runs SET n = n + 1'); await c.end()`,
  })
  const lease = async () => {
    await using branch = await leaseBranch(project.dir)
    const [row] = await branch.query('SELECT (SELECT sum(n)::int FROM log) AS log, (SELECT n FROM runs) AS runs')
    return {
      row,
      phases: listPhases(branch.progress).filter((phase) => phase.startsWith('step')),
      builds: findBuilds(branch.progress),
    }
  }
  expect(await lease()).toMatchObject({ row: { log: 1, runs: 2 }, builds: [{ why: 'first build of this project' }] })
  expect(await lease()).toMatchObject({ row: { log: 1, runs: 2 }, builds: [] })

  await project.write({
    'pg-branch.config.ts': config(
      "sql('schema.sql'), command('node count.mjs', { inputs: ['count.mjs'] }), async ({ client }) => { await client.query('INSERT INTO log VALUES (5)') }",
    ),
  })
  const changed = await lease()
  expect(changed.row).toEqual({ log: 5, runs: 2 })
  expect(changed.phases).toEqual(['step 3 of 3: function seed[2]'])
  expect(changed.builds).toMatchObject([{ why: 'step 3 (function seed[2]): its own text changed' }])

  await project.write({
    'count.mjs': `import pg from 'pg'; const c = new pg.Client(process.env.DATABASE_URL); await c.connect(); await c.query('UPDATE runs SET n = n + 10'); await c.end()`,
  })
  const second = await lease()
  expect(second.row).toEqual({ log: 5, runs: 11 })
  expect(second.phases).toEqual(['step 2 of 3: command node count.mjs', 'step 3 of 3: function seed[2]'])
  expect(second.builds).toMatchObject([{ why: 'step 2 (command node count.mjs): count.mjs changed' }])

  // A longer seed continues from the sealed state of the shorter one, also after the supervisor has gone.
  expect(await home.end()).toEqual([])
  await project.write({
    'pg-branch.config.ts': config(
      "sql('schema.sql'), command('node count.mjs', { inputs: ['count.mjs'] }), async ({ client }) => { await client.query('INSERT INTO log VALUES (5)') }, sql('more.sql')",
    ),
    'more.sql': 'INSERT INTO log VALUES (100)',
  })
  const longer = await lease()
  expect(longer.row).toEqual({ log: 105, runs: 11 })
  expect(longer.phases).toEqual(['step 4 of 4: sql more.sql'])
  expect(longer.builds).toMatchObject([{ why: 'step 4 (sql more.sql) is new' }])
})

test('what a function step imports, and what the configuration reads from the environment, is part of the key', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': `import { rows } from './seed/rows.ts'
import { extra } from './seed/extra.mjs'
const tenant = process.env.TENANT ?? 'none'
export default {
  seed: async ({ client }) => {
    await client.query('CREATE TABLE t AS SELECT $1::int AS rows, $2::text AS tenant', [rows + extra, tenant])
  },
}
`,
    'seed/rows.ts': 'export const rows: number = 1',
    'seed/extra.mjs': 'export const extra = 0',
  })
  const lease = async (env = {}) => {
    await using branch = await leaseBranch(project.dir, { env })
    return (await branch.query('SELECT * FROM t'))[0]
  }
  expect(await lease()).toEqual({ rows: 1, tenant: 'none' })
  await project.write({ 'seed/rows.ts': 'export const rows: number = 20' })
  expect(await lease()).toEqual({ rows: 20, tenant: 'none' })
  await project.write({ 'seed/extra.mjs': 'export const extra = 3' })
  expect(await lease()).toEqual({ rows: 23, tenant: 'none' })
  expect(await lease({ TENANT: 'acme' })).toEqual({ rows: 23, tenant: 'acme' })
  expect(await lease()).toEqual({ rows: 23, tenant: 'none' })
})

test('new, renamed and removed migration files are noticed', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'migrations/2_b.sql': "INSERT INTO t VALUES ('b')",
    'migrations/1_a.sql': 'CREATE TABLE t (x text)',
    'migrations/10_c.sql': "INSERT INTO t VALUES ('c')",
    'migrations/10_c.down.sql': 'DROP TABLE t',
  })
  const read = async () => {
    await using branch = await leaseBranch(project.dir)
    return (await branch.query("SELECT string_agg(x, '' ORDER BY ctid) AS x FROM t"))[0]?.x
  }
  expect(await read()).toBe('bc')
  await project.write({ 'migrations/11_d.sql': "INSERT INTO t VALUES ('d')" })
  expect(await read()).toBe('bcd')
  const { rename, rm } = await import('node:fs/promises')
  await rename(`${project.dir}/migrations/2_b.sql`, `${project.dir}/migrations/12_b.sql`)
  expect(await read()).toBe('cdb')
  await rm(`${project.dir}/migrations/10_c.sql`)
  expect(await read()).toBe('db')
})

test('ten processes that ask at once: one builds, all wait and see how it goes, one supervisor', async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': `${usersTable}SELECT pg_sleep(1);` })
  const script = `
    import { connectSupervisor, withSentinel } from 'pg-branch/client'
    let reports = 0
    const connection = await connectSupervisor({ onProgress: () => (reports += 1) })
    const { branchId } = await connection.call.lease({ rootDir: process.cwd(), options: {}, env: withSentinel(process.env), withheld: {}, scope: 'file', runId: 'ten', holder: 'x' })
    const { projects: [project], pid } = await connection.call.status()
    console.log(JSON.stringify({ pid, reports, reused: project.reused, template: project.template, branchId }))
    process.exit()
  `
  const runs = await Promise.all(
    Array.from({ length: 10 }, () =>
      execa(process.execPath, ['--input-type=module', '-e', script], { cwd: project.dir, env: home.env }),
    ),
  )
  const answers = runs.map(
    ({ stdout }) =>
      JSON.parse(stdout) as {
        pid: number
        reports: number
        reused: boolean
        template: string
        branchId: string
      },
  )
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1)
  expect(new Set(answers.map(({ template }) => template)).size).toBe(1)
  expect(new Set(answers.map(({ branchId }) => branchId)).size).toBe(10)
  expect(answers.filter(({ reports }) => reports > 0).length).toBeGreaterThanOrEqual(8)
  expect(home.readLog().match(/building/g)).toHaveLength(1)
})

test('templates are evicted by size, the least recently used first, but never one in use', async () => {
  await using home = makeHome()
  const project = (n: number) =>
    makeProject({
      'pg-branch.config.json': JSON.stringify({
        cache: { maxBytes: 60 * 1024 ** 2 },
        seed: [{ kind: 'sql', globs: ['*.sql'] }],
      }),
      '1.sql': `CREATE TABLE t AS SELECT ${n} AS n`,
    })
  await using one = await project(1)
  await using two = await project(2)
  await using three = await project(3)
  for (const each of [one, two, three]) {
    await using branch = await leaseBranch(each.dir)
    await branch.query('SELECT n FROM t')
    branch.connection.close()
    await home.end()
  }
  // About 31 MB each: with the base, two fit; the third was in use when it was decided.
  await using again = await leaseBranch(three.dir)
  expect(findBuilds(again.progress)).toEqual([])
  await using first = await leaseBranch(one.dir)
  expect(findBuilds(first.progress)).toMatchObject([
    { why: 'the cached template was removed (evicted, or the cache was cleared)' },
  ])
})

test('another database name, settings, variables by list and by function', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': `export default {
  database: 'my app',
  postgres: { settings: { work_mem: '7MB', jit: true, wal_level: 'logical' } },
  seed: async ({ client }) => { await client.query('CREATE TABLE t AS SELECT 1 AS n') },
  env: ({ url, port, password }) => ({ DATABASE_URL: url, JDBC: 'jdbc:postgresql://127.0.0.1:' + port + '/x?password=' + password }),
}
`,
  })
  await using branch = await leaseBranch(project.dir)
  expect(
    await branch.query(
      "SELECT current_database() AS d, current_setting('work_mem') AS w, current_setting('jit') AS j, current_setting('wal_level') AS l",
    ),
  ).toEqual([{ d: 'my app', w: '7MB', j: 'on', l: 'logical' }])
  expect(
    await branch.query("SELECT pg_create_logical_replication_slot('s', 'test_decoding') IS NOT NULL AS made"),
  ).toEqual([{ made: true }])
  const { port, password } = new URL(branch.url)
  expect(branch.variables.JDBC).toBe(`jdbc:postgresql://127.0.0.1:${port}/x?password=${password}`)
  expect(branch.variables.PGDATABASE).toBe('my app')
})

test('without anything recognised branches are empty, and it is said once', async () => {
  await using _home = makeHome()
  await using project = await makeProject()
  await using one = await leaseBranch(project.dir, { runId: 'run 1' })
  await using two = await leaseBranch(project.dir, { runId: 'run 1' })
  expect(one.notices).toEqual([
    expect.stringMatching(
      /^branches are empty: there is no pg-branch\.config\.ts \(or .*\), and .* has no migrations that are recognised \(Drizzle, .*\*\.sql in migrations/,
    ),
  ])
  expect(two.notices).toEqual([])
  expect(await two.query('SELECT 1 AS n')).toEqual([{ n: 1 }])
})

test('a file added at the end of an SQL step runs alone; a change before it runs the step anew', async () => {
  await using home = makeHome()
  const migrations = (names: string[]) =>
    Object.fromEntries(names.map((name) => [`m/${name}.sql`, `INSERT INTO log VALUES ('${name}', clock_timestamp());`]))
  await using project = await makeProject({
    'pg-branch.config.ts': config("sql('schema.sql'), sql('m/*.sql'), sql('rows.sql')"),
    'schema.sql': 'CREATE TABLE log (name text, at timestamptz);',
    'rows.sql': "INSERT INTO log VALUES ('rows', clock_timestamp());",
    ...migrations(['1', '2']),
  })
  const lease = async () => {
    await using branch = await leaseBranch(project.dir)
    const rows = await branch.query('SELECT name, at FROM log ORDER BY at')
    return { names: rows.map(({ name }) => name), first: rows[0]?.at, builds: findBuilds(branch.progress) }
  }
  const before = await lease()
  expect(before).toMatchObject({ names: ['1', '2', 'rows'], builds: [{ filesReused: 0 }] })
  // Also by the next supervisor.
  expect(await home.end()).toEqual([])
  await project.write(migrations(['3', '10']))
  const added = await lease()
  expect(added).toMatchObject({
    names: ['1', '2', '3', '10', 'rows'],
    first: before.first,
    builds: [{ why: 'step 2 (sql m/*.sql): m/3.sql, m/10.sql were added', filesReused: 2 }],
  })
  await project.write({ 'm/2.sql': "INSERT INTO log VALUES ('2 changed', clock_timestamp());" })
  const changed = await lease()
  expect(changed).toMatchObject({ names: ['1', '2 changed', '3', '10', 'rows'], builds: [{ filesReused: 0 }] })
  expect(changed.first).not.toEqual(before.first)
})

test('templates with `now()` in them: built anew in each period, or put right in every branch', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': config(
      "sql('schema.sql')",
      "cache: { rebuildEveryMs: 6_000 }, onFork: 'UPDATE events SET seen = clock_timestamp()', pool: { size: 0 }",
    ),
    'schema.sql': 'CREATE TABLE events AS SELECT clock_timestamp() AS made, NULL::timestamptz AS seen;',
  })
  const lease = async () => {
    await using branch = await leaseBranch(project.dir)
    const [row] = (await branch.query('SELECT made, seen FROM events')) as Array<{ made: Date; seen: Date }>
    return { made: row?.made.getTime() ?? 0, seen: row?.seen.getTime() ?? 0, builds: findBuilds(branch.progress) }
  }
  const first = await lease()
  const again = await lease()
  expect(again.seen).toBeGreaterThan(first.seen)
  await new Promise((resolve) => setTimeout(resolve, 6_000))
  const later = await lease()
  expect(later.made).toBeGreaterThan(first.made)
  expect(later.builds).toMatchObject([{ why: 'a new period of `cache.rebuildEveryMs` has begun' }])
})

test('an `onFork` that fails is told with what Postgres said', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': config("sql('schema.sql')", "onFork: 'UPDATE nowhere SET x = 1'"),
    'schema.sql': usersTable,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(
    /the SQL of `onFork` failed in a new branch: relation "nowhere" does not exist/,
  )
})
