import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'

const seed = {
  'migrations/1.sql': 'CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (0, $$seed$$)',
}

/** Every test sees the seed, what the hooks around it made, and nothing of another test. */
const body = `
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const ids = async () => (await pool.query('SELECT id FROM t ORDER BY id')).rows.map(({ id }) => id)
const add = (id) => pool.query('INSERT INTO t VALUES ($1)', [id])
afterAll(() => pool.end())
beforeAll(() => add(1))
test('first', async () => { expect(await ids()).toEqual([0, 1]); await add(2) })
test('second', async () => { expect(await ids()).toEqual([0, 1]); await add(3) })
describe('inner', () => {
  beforeAll(() => add(10))
  beforeEach(() => add(20))
  test('third', async () => { expect(await ids()).toEqual([0, 1, 10, 20]); await add(4) })
  test('fourth', async () => { expect(await ids()).toEqual([0, 1, 10, 20]); await pool.query('DROP TABLE t') })
  describe('innermost', () => {
    beforeAll(() => add(30))
    test('fifth', async () => { expect(await ids()).toEqual([0, 1, 10, 20, 30]) })
  })
  test('sixth', async () => { expect(await ids()).toEqual([0, 1, 10, 20]) })
})
test('seventh', async () => expect(await ids()).toEqual([0, 1]))
`

const vitestConfig = (options: object = {}, test: object = {}) =>
  `export default { test: ${JSON.stringify({ environment: 'pg-branch', environmentOptions: { pgBranch: { scope: 'test', ...options } }, testTimeout: 60_000, ...test })} }`
const jestConfig = (options: object = {}) =>
  `export default { testEnvironment: 'pg-branch', testTimeout: 60_000, transform: {}, testEnvironmentOptions: { pgBranch: ${JSON.stringify({ scope: 'test', ...options })} } }`

const vitestHead = `import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
`

test.each([4, 5] as const)('Vitest %i: every test begins with what the hooks around it made', async (version) => {
  await using _home = makeHome()
  await using project = await makeProject(
    {
      ...seed,
      'vitest.config.mjs': vitestConfig(),
      'a.test.mjs': vitestHead + body,
      'retries.test.mjs': `${vitestHead}
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
let tries = 0
test('a further try begins afresh', { retry: 2 }, async () => {
  tries += 1
  await pool.query('INSERT INTO t VALUES (5)')
  expect(tries).toBe(3)
})
test('so does a repetition', { repeats: 2 }, () => pool.query('INSERT INTO t VALUES (5)'))
`,
    },
    { version },
  )
  for (const args of [[], ['--pool', 'threads'], ['--no-isolate', '--maxWorkers', '1'], ['--sequence.shuffle']]) {
    const { exitCode, all } = await project.vitest(['run', ...args])
    expect(exitCode, `${args.join(' ')}\n${String(all)}`).toBe(0)
  }
})

test.each([29, 30] as const)('Jest %i: the same', async (jest) => {
  await using _home = makeHome()
  await using project = await makeProject(
    {
      ...seed,
      'package.json': '{ "name": "user" }',
      'jest.config.mjs': jestConfig(),
      'a.test.js': `const pg = require('pg')\n${body}`,
    },
    { jest },
  )
  for (const args of [[], ['--runInBand']]) {
    const { exitCode, all } = await project.jest(args)
    expect(exitCode, `${args.join(' ')}\n${String(all)}`).toBe(0)
  }
})

const apiBody = `
test('snapshot, restore, diff and log', async () => {
  expect(branch.url).toBe(process.env.DATABASE_URL)
  expect(await branch.query('SELECT body FROM t WHERE id = $1', [0])).toEqual([{ body: 'seed' }])
  const pool = new pg.Pool({ connectionString: branch.url })
  await pool.query("INSERT INTO t VALUES (1, 'one')")
  await branch.snapshot('one')
  await pool.query("UPDATE t SET body = 'changed' WHERE id = 1")
  await pool.query('DELETE FROM t WHERE id = 0')
  expect(await branch.diff()).toEqual([{ table: 'public.t', added: 1, changed: 0, removed: 1 }])
  await branch.restore('one')
  expect((await pool.query('SELECT id, body FROM t ORDER BY id')).rows).toEqual([{ id: 0, body: 'seed' }, { id: 1, body: 'one' }])
  expect(await branch.diff()).toEqual([])
  expect((await branch.log()).map(({ text }) => text.split(' ')[0])).toEqual(['INSERT', 'UPDATE', 'DELETE', 'SELECT'])
  const fork = await branch.fork()
  expect(fork.url).not.toBe(branch.url)
  await fork.query('DELETE FROM t')
  expect(await branch.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 2 }])
  expect(await fork.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 0 }])
  await fork.close()
  expect(await branch.query('SELECT 1 AS a; SELECT 2 AS b')).toEqual([{ b: 2 }])
  await expect(fork.query('SELECT 1')).rejects.toThrow(/was closed/)
  await expect(branch.restore('two')).rejects.toThrow(/no snapshot "two".*Taken were: one/s)
  await pool.end()
})
test('snapshots of a test end with it', async () => {
  await expect(branch.restore('one')).rejects.toThrow(/no snapshot "one"/)
})
beforeAll(() => branch.query('INSERT INTO t VALUES (50)').then(() => branch.query('DELETE FROM t WHERE id = 50')))
for (const id of [1, 2, 3]) {
  test.concurrent('at the same time ' + id, async ({ branch }) => {
    await branch.query('INSERT INTO t VALUES (1)')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await branch.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 2 }])
  })
}
`

test('the test API is the same in both runners', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...seed,
    'package.json': '{ "name": "user" }',
    'vitest.config.mjs': vitestConfig({}, { include: ['v.test.mjs'] }),
    'jest.config.mjs': jestConfig(),
    'v.test.mjs': `import pg from 'pg'\nimport { beforeAll, expect } from 'vitest'\nimport { branch, test } from 'vitest-environment-pg-branch/test'\n${apiBody}`,
    'j.test.js': `const pg = require('pg')\nconst { branch, test } = require('jest-environment-pg-branch/test')\n${apiBody}`,
  })
  for (const runner of [project.vitest, project.jest]) {
    const { exitCode, all } = await runner(runner === project.vitest ? ['run'] : ['j.test.js'])
    expect(exitCode, String(all)).toBe(0)
  }
})

const lateBody = `
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
const count = async () => (await pool.query('SELECT count(*)::int AS n FROM t')).rows[0].n
const late = () => { pool.query('INSERT INTO t SELECT 9 FROM pg_sleep(0.6)').catch(() => {}) }
const undisturbed = async () => {
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(await count()).toBe(1)
}
afterAll(() => pool.end())
test('opens a connection for a query that it does not wait for', async () => {
  const first = new pg.Client({ connectionString: process.env.DATABASE_URL })
  first.on('error', () => {})
  await first.connect()
  first.query('INSERT INTO t SELECT 9 FROM pg_sleep(0.6)').catch(() => {})
})
test('is not disturbed', undisturbed)
test('does not wait for a query of the pool', late)
test('is not disturbed either', undisturbed)
test('fails', async () => { await pool.query('INSERT INTO t VALUES (7)'); expect(1).toBe(2) })
describe('inner', () => {
  beforeAll(() => pool.query('INSERT INTO t VALUES (8)'))
  test('passes', async () => expect(await count()).toBe(2))
})
`

test('a query that nobody waits for stays in its test; a failed test is kept as it was, whatever comes next', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...seed,
    'package.json': '{ "name": "user" }',
    'vitest.config.mjs': vitestConfig({ leftOver: 'fail' }),
    'jest.config.mjs': jestConfig({ leftOver: 'fail' }),
    'v.test.mjs': vitestHead + lateBody,
    'j.test.js': `const pg = require('pg')\n${lateBody}`,
  })
  for (const [run, file] of [
    [project.vitest(['run', 'v.test.mjs']), 'v.test.mjs'],
    [project.jest(['j.test.js']), 'j.test.js'],
  ] as const) {
    const { all } = await run
    const output = String(all)
    expect(output).toMatch(/left 1 of its connections at work/)
    expect(output).toMatch(/3 failed[^]*3 passed/)
    const line = new RegExp(`${file} > fails: its branch is kept[^]*?PGPASSFILE=(\\S+) psql -h (\\S+) -p (\\d+)`).exec(
      output,
    )
    const password = readFileSync(line?.[1] ?? output, 'utf8')
      .trim()
      .split(':')
      .at(-1)
    const client = new pg.Client({
      host: line?.[2],
      port: Number(line?.[3]),
      user: 'postgres',
      password,
      database: 'postgres',
    })
    await client.connect()
    expect((await client.query('SELECT id FROM t ORDER BY id')).rows).toEqual([{ id: 0 }, { id: 7 }])
    await client.end()
  }
})

test('what cannot be right says so: concurrent tests without a fixture, and work left open', async () => {
  await using _home = makeHome()
  const concurrent = `test.concurrent('side by side', async () => {})\n`
  const leaves = `
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
test('leaves a transaction open', async () => { await (await pool.connect()).query('BEGIN; INSERT INTO t VALUES (9)') })
test('is not disturbed', async () => { expect((await pool.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 1 }]) })
`
  const fails = `test('fails', async () => { const c = new pg.Client(process.env.DATABASE_URL); await c.connect(); await c.query('INSERT INTO t VALUES (7)'); await c.end(); expect(1).toBe(2) })
test('passes', () => {})
`
  const jestHead = `const pg = require('pg')\n`
  await using project = await makeProject({
    ...seed,
    'package.json': '{ "name": "user" }',
    'vitest.config.mjs': vitestConfig({ diffOnFailure: true, leftOver: 'fail' }, { include: ['**/*.test.mjs'] }),
    'jest.config.mjs': jestConfig({ diffOnFailure: true, leftOver: 'fail' }),
    'concurrent.test.mjs': vitestHead + concurrent,
    'leaves.test.mjs': vitestHead + leaves,
    'fails.test.mjs': vitestHead + fails,
    'concurrent.test.js': jestHead + concurrent,
    'leaves.test.js': jestHead + leaves,
    'fails.test.js': jestHead + fails,
  })
  for (const [name, run] of [
    ['vitest', (file: string) => project.vitest(['run', file])],
    ['jest', (file: string) => project.jest([file])],
  ] as const) {
    const end = name === 'vitest' ? 'mjs' : 'js'
    const outputs = await Promise.all(
      ['concurrent', 'leaves', 'fails'].map(async (file) => {
        const { exitCode, all } = await run(`${file}.test.${end}`)
        expect(exitCode, String(all)).toBe(1)
        return String(all)
      }),
    )
    expect(outputs[0], name).toMatch(/"side by side" runs at the same time as others[\s\S]*PGB_SCOPE/)
    expect(outputs[1], name).toMatch(/left 1 of its connections at work[\s\S]*in transaction/)
    expect(outputs[1], name).toMatch(/1 failed[\s\S]*1 passed/)
    expect(outputs[2], name).toMatch(/The test changed these rows:\s*public\.t: 1 added, 0 changed, 0 removed/)
    expect(outputs[2], name).toMatch(/fails\.test\.m?js > fails: its branch is kept/)
  }
})

test('the fixture of a concurrent test is refused where each file has one branch', async () => {
  await using _home = makeHome()
  const body = `('alone', async ({ branch }) => { await branch.query('SELECT 1') })\n`
  const together = `test.concurrent('together', async ({ branch }) => { await branch.query('SELECT 1') })\n`
  await using project = await makeProject({
    ...seed,
    'package.json': '{ "name": "user" }',
    'vitest.config.mjs': `export default { test: { environment: 'pg-branch', include: ['**/*.test.mjs'] } }`,
    'jest.config.mjs': `export default { testEnvironment: 'pg-branch', transform: {} }`,
    'a.test.mjs': `import { test } from 'vitest-environment-pg-branch/test'\ntest${body}${together}`,
    'a.test.js': `const { test } = require('jest-environment-pg-branch/test')\ntest${body}${together}`,
  })
  for (const { all } of [await project.vitest(['run']), await project.jest()]) {
    expect(all).toMatch(/branch of its own only where every test has one[\s\S]*PGB_SCOPE/)
    expect(all).toMatch(/1 failed[\s\S]*1 passed/)
  }
})
