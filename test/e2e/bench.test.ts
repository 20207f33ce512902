import { expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

const config = (scope: string) =>
  `export default { test: { environment: 'pg-branch', environmentOptions: { pgBranch: { scope: '${scope}' } } } }`

test.each(['file', 'test'])('`vitest bench` has a branch for each file (scope %s)', async (scope) => {
  await using home = makeHome()
  const bench = `import pg from 'pg'
import { bench } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
let isFirst = true
bench('insert', async () => {
  if (isFirst) console.log('begins with', (await pool.query('SELECT count(*)::int AS n FROM users')).rows[0].n)
  isFirst = false
  await pool.query("INSERT INTO users (name) VALUES ('x')")
}, { time: 100 })`
  await using project = await makeProject({
    'migrations/1.sql': usersTable,
    'vitest.config.js': config(scope),
    'a.bench.js': bench,
    'b.bench.js': bench,
  })
  const run = await project.vitest(['bench', '--run'])
  expect(run.exitCode, String(run.all)).toBe(0)
  expect(String(run.all).match(/begins with 100/g)).toHaveLength(2)
  expect(await home.end()).toEqual([])
})

test('a fixture of a file is made in the first test that uses it, and goes with it', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'migrations/1.sql': usersTable,
    'vitest.config.js': config('test'),
    'a.test.js': `import pg from 'pg'
import { afterAll, expect, test as base } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
afterAll(() => pool.end())
const count = async () => (await pool.query('SELECT count(*)::int AS n FROM users')).rows[0].n
const test = base.extend({ user: [async ({}, use) => { await pool.query("INSERT INTO users (name) VALUES ('x')"); await use('x') }, { scope: 'file' }] })
test('first', async ({ user }) => expect(await count()).toBe(101))
test('second', async ({ user }) => expect(await count()).toBe(100))`,
  })
  const run = await project.vitest()
  expect(run.exitCode, String(run.all)).toBe(0)
})
