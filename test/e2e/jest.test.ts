import { describe, expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import type { JestVersion } from '../support/installed.ts'
import { makeProject, usersTable, type TestProject } from '../support/project.ts'

const versions: JestVersion[] = [30, 29]

const plain = { 'package.json': '{ "name": "user" }', 'migrations/1.sql': usersTable }
const oneLine = { 'jest.config.js': `module.exports = { testEnvironment: 'pg-branch' }` }

/** A CommonJS test file with a pool of its own; `body` sees `query`, which answers with rows. */
function poolTest(title: string, body: string, head = ''): string {
  return `${head}const { Pool } = require('pg')
const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const query = async (text) => (await pool.query(text)).rows
afterAll(() => pool.end())
test(${JSON.stringify(title)}, async () => {
  ${body}
})
`
}

const countUsers = `(await query('SELECT count(*)::int AS n FROM users'))[0].n`
const deletesAll = poolTest('deletes', `expect(${countUsers}).toBe(100); await query('DELETE FROM users')`)

async function run(project: TestProject, args: string[] = [], options: Parameters<TestProject['jest']>[1] = {}) {
  const result = await project.jest(args, options)
  return { exitCode: result.exitCode, output: String(result.all) }
}

describe.each(versions)('Jest %d', (jest) => {
  test('one line: every file has a branch of its own, in parallel workers', async () => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        ...plain,
        ...oneLine,
        ...Object.fromEntries([1, 2, 3, 4].map((n) => [`${n}.test.js`, deletesAll])),
        'child.test.js': poolTest(
          'children and PG*',
          `const { execFileSync } = require('node:child_process')
          const child = execFileSync(process.execPath, ['-p', 'process.env.DATABASE_URL'], { encoding: 'utf8' })
          expect(child.trim()).toBe(process.env.DATABASE_URL)
          expect(new URL(child).port).toBe(process.env.PGPORT)
          const { Client } = require('pg'); const client = new Client(); await client.connect()
          expect((await client.query('SELECT count(*)::int AS n FROM users')).rows[0].n).toBe(100)
          await client.end()`,
        ),
      },
      { jest },
    )
    const { exitCode, output } = await run(project, ['--maxWorkers=2'], {
      env: { DATABASE_URL: 'postgres://real:secret@127.0.0.1:1/production' },
    })
    expect(output).toContain('Tests:       5 passed, 5 total')
    expect(output.match(/template built in/g)).toHaveLength(1)
    expect(exitCode).toBe(0)
  })

  test('ES modules', async () => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        ...plain,
        'package.json': '{ "name": "user", "type": "module" }',
        'jest.config.js': `export default { testEnvironment: 'pg-branch', transform: {} }`,
        'a.test.js': `import pg from 'pg'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())
test('reads', async () => { expect((await pool.query('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 100 }]) })`,
      },
      { jest },
    )
    const { output } = await run(project, [], { env: { NODE_OPTIONS: '--experimental-vm-modules' } })
    expect(output).toContain('Tests:       1 passed, 1 total')
  })

  test('--runInBand: each file its own URL, and a project without us sees what the user has set', async () => {
    await using _home = makeHome()
    const real = 'postgres://real:secret@127.0.0.1:1/production'
    await using project = await makeProject(
      {
        ...plain,
        'jest.config.js': `module.exports = { projects: [
          { displayName: 'ours', testEnvironment: 'pg-branch', testMatch: ['**/ours/*.test.js'] },
          { displayName: 'plain', testEnvironment: 'node', testMatch: ['**/plain/*.test.js'] }] }`,
        'ours/a.test.js': deletesAll,
        'ours/b.test.js': deletesAll,
        'plain/c.test.js': `test('real', () => expect(process.env.DATABASE_URL).toBe(${JSON.stringify(real)}))`,
        'plain/d.test.js': `test('real', () => expect(process.env.DATABASE_URL).toBe(${JSON.stringify(real)}))`,
      },
      { jest },
    )
    const { output } = await run(project, ['--runInBand'], { env: { DATABASE_URL: real } })
    expect(output).toContain('Tests:       4 passed, 4 total')
  })

  test('a failed test, and a file that does not load, keep their branches', async () => {
    await using home = makeHome()
    await using project = await makeProject(
      {
        ...plain,
        ...oneLine,
        'a.test.js': `describe('users', () => { ${poolTest('are none', `expect(${countUsers}).toBe(0)`)} })`,
        'b.test.js': `throw new Error('does not load')`,
        'c.test.js': deletesAll,
      },
      { jest },
    )
    const { exitCode, output } = await run(project)
    expect(exitCode).toBe(1)
    expect(output).toMatch(
      /users > are none: its branch is kept for 1 h 00 min.*\n {2}PGPASSFILE=\S+ psql -h 127\.0\.0\.1/,
    )
    expect(output).toMatch(/b\.test\.js: its branch is kept/)
    expect(output.match(/its branch is kept/g)).toHaveLength(2)
    expect(home.supervisorPid()).toBeDefined()
  })
})

test('TypeScript through ts-jest and through SWC', async () => {
  await using _home = makeHome()
  await using project = await makeProject(
    {
      ...plain,
      'jest.config.js': `module.exports = { projects: [
        { displayName: 'ts-jest', testEnvironment: 'pg-branch', transform: { '\\\\.ts$': ['ts-jest', { diagnostics: false, tsconfig: { esModuleInterop: true, module: 'commonjs' } }] } },
        { displayName: 'swc', testEnvironment: 'pg-branch', transform: { '\\\\.ts$': '@swc/jest' } }] }`,
      'a.test.ts': `import pg from 'pg'
const pool: pg.Pool = new pg.Pool({ connectionString: process.env.DATABASE_URL as string })
afterAll(() => pool.end())
test('deletes', async () => { expect((await pool.query('DELETE FROM users')).rowCount).toBe(100) })`,
    },
    {
      modules: { 'ts-jest': 'ts-jest', '@swc/jest': '@swc/jest', '@swc/core': '@swc/core' },
    },
  )
  const { output } = await run(project)
  expect(output).toContain('Tests:       2 passed, 2 total')
})

test('projects with configurations of their own, side by side', async () => {
  await using _home = makeHome()
  const project = (table: string) => ({
    [`${table}/package.json`]: '{}',
    [`${table}/migrations/1.sql`]: `CREATE TABLE ${table} (n int)`,
    [`${table}/a.test.js`]: poolTest(table, `expect(await query('TABLE ${table}')).toEqual([])`),
  })
  await using both = await makeProject({
    'package.json': '{ "name": "user" }',
    'jest.config.js': `module.exports = { projects: ['one', 'two'].map((name) => ({ rootDir: __dirname + '/' + name, testEnvironment: 'pg-branch' })) }`,
    ...project('one'),
    ...project('two'),
  })
  const { output } = await run(both, ['--maxWorkers=2'])
  expect(output).toContain('Tests:       2 passed, 2 total')
})

test('a comment in a file chooses the environment and its options; files of scope worker share a branch', async () => {
  await using _home = makeHome()
  // In parts, since Vitest would take the comment for its own.
  const comment = ['environment pg-branch', 'environment-options {"pgBranch": {"scope": "worker"}}']
  const head = `/**\n${comment.map((line) => ` * @jest-${line}\n`).join('')} */\n`
  const shared = poolTest(
    'shares',
    `await query('CREATE TABLE IF NOT EXISTS seen (n int)'); await query('INSERT INTO seen VALUES (1)')
    console.log('seen ' + (await query('SELECT count(*)::int AS n FROM seen'))[0].n)`,
    head,
  )
  await using project = await makeProject({
    ...plain,
    'a.test.js': shared,
    'b.test.js': shared,
    'c.test.js': `test('plain', () => expect(process.env.DATABASE_URL).toBeUndefined())`,
  })
  const { output } = await run(project, ['--maxWorkers=1'])
  expect(output).toContain('Tests:       3 passed, 3 total')
  expect(output).toContain('seen 2')
})

test('base jsdom has a document and a branch', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...plain,
    'jest.config.js': `module.exports = { testEnvironment: 'pg-branch', testEnvironmentOptions: { pgBranch: { base: 'jsdom' } } }`,
    'a.test.js': `test('both', () => {
  document.body.innerHTML = '<p>hello</p>'
  expect(document.querySelector('p').textContent).toBe('hello')
  expect(process.env.DATABASE_URL).toMatch(/127\\.0\\.0\\.1/)
})`,
  })
  const { output } = await run(project)
  expect(output).toContain('Tests:       1 passed, 1 total')
})

test('a wrong option names what is allowed', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...plain,
    'jest.config.js': `module.exports = { testEnvironment: 'pg-branch', testEnvironmentOptions: { pgBranch: { scoop: 'file' } } }`,
    'a.test.js': deletesAll,
  })
  const first = await run(project)
  expect(first.exitCode).toBe(1)
  expect(first.output.match(/`scoop` is not an option; did you mean `scope`\?/g)).toHaveLength(1)
  await project.write({
    'jest.config.js': `module.exports = { testEnvironment: 'pg-branch', testEnvironmentOptions: { pgBranch: { base: 'browser' } } }`,
  })
  const second = await run(project)
  expect(second.output).toContain("Allowed: 'node', 'jsdom'")
})

test('a worker that exits in mid-test gives its branch back', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    ...plain,
    ...oneLine,
    'a.test.js': poolTest('exits', `await query('SELECT 1'); process.kill(process.pid, 'SIGKILL')`),
    'b.test.js': deletesAll,
  })
  const { exitCode, output } = await run(project, ['--maxWorkers=2'])
  expect(exitCode).toBe(1)
  expect(output).toMatch(/1 passed/)
  expect(await home.end()).toEqual([])
})

test('--watchAll: the next rerun has the changed migration', async () => {
  const counting = poolTest('counts', `console.log('rows ' + ${countUsers})`)
  await using _home = makeHome()
  await using project = await makeProject({
    ...plain,
    ...oneLine,
    'a.test.js': counting,
  })
  const watching = project.jest(['--watchAll', '--maxWorkers=1'])
  let output = ''
  watching.all?.on('data', (chunk) => (output += String(chunk)))
  try {
    await expect.poll(() => output, { timeout: 60_000, interval: 100 }).toContain('rows 100')
    await project.write({ 'migrations/2.sql': `INSERT INTO users (name) VALUES ('new')` })
    // Again, since Jest may not have been watching yet.
    const touch = async () => {
      await project.write({ 'a.test.js': `${counting}// ${performance.now()}\n` })
      return output
    }
    await expect.poll(touch, { timeout: 120_000, interval: 8_000 }).toContain('rows 101')
  } finally {
    watching.kill('SIGKILL')
    await watching
  }
})
