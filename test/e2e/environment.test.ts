import { describe, expect, test } from 'vitest'
import pg from 'pg'
import { readFileSync } from 'node:fs'
import { makeHome, settle } from '../support/home.ts'
import { makeProject, oneLineConfig, queryTest, usersTable } from '../support/project.ts'
import type { VitestVersion } from '../support/installed.ts'

const versions: VitestVersion[] = [4, 5]

function withOptions(options: object, test: object = {}): string {
  return `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: ${JSON.stringify({ environment: 'pg-branch', environmentOptions: { pgBranch: options }, ...test })} })
`
}

describe.each(versions)('Vitest %i', (version) => {
  test.each(['jsdom', 'happy-dom'])('base %s: a document and a branch', async (base) => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        'vitest.config.ts': withOptions({ base }),
        'migrations/1.sql': usersTable,
        'a.test.ts': `import pg from 'pg'
import { expect, test } from 'vitest'
test('both', async () => {
  document.body.innerHTML = '<b>hello</b>'
  expect(document.querySelector('b')?.textContent).toBe('hello')
  const client = new pg.Client(process.env.DATABASE_URL)
  await client.connect()
  expect((await client.query('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 100 }])
  await client.end()
})
`,
      },
      { version },
    )
    const { exitCode, all } = await project.vitest()
    expect(exitCode, String(all)).toBe(0)
  })

  test('the comment in a file chooses the environment and its options', async () => {
    await using _home = makeHome()
    // In two parts, or the outer Vitest would take it for a comment of this file.
    const tag = ['@vitest', 'environment'].join('-')
    const comment = (options: object) => `// ${tag} pg-branch\n// ${tag}-options ${JSON.stringify(options)}\n`
    await using project = await makeProject(
      {
        'vitest.config.ts': `export default { test: {} }`,
        'migrations/1.sql': usersTable,
        'other/pg-branch.config.json': JSON.stringify({
          env: ['OTHER_URL', 'DATABASE_URL'],
          seed: [{ kind: 'sql', globs: ['*.sql'] }],
        }),
        'other/1.sql': 'CREATE TABLE users AS SELECT 7 AS id',
        'plain.test.ts': `import { expect, test } from 'vitest'\ntest('no branch', () => expect(process.env.DATABASE_URL ?? '').toBe('postgresql://real/db'))\n`,
        'own.test.ts': `${comment({})}${queryTest('the nearest', ['SELECT count(*)::int FROM users'], 100)}`,
        'other.test.ts': `${comment({ config: 'other/pg-branch.config.json' })}${queryTest('another', ['SELECT count(*)::int FROM users'], 1).replace('DATABASE_URL', 'OTHER_URL')}`,
      },
      { version },
    )
    const { exitCode, all } = await project.vitest(['run'], { env: { DATABASE_URL: 'postgresql://real/db' } })
    expect(all).toMatch(/3 passed \(3\)/)
    expect(exitCode).toBe(0)
  })

  test('variables are right before setup files and the first import, whatever test.env says', async () => {
    await using _home = makeHome()
    const check = `
if (!/^postgresql:\\/\\/postgres:[0-9a-f]{32}@127\\.0\\.0\\.1:\\d+\\/postgres$/.test(process.env.DATABASE_URL ?? '')) throw new Error('URL at import: ' + process.env.DATABASE_URL)
if (process.env.PGPORT !== new URL(process.env.DATABASE_URL).port) throw new Error('PGPORT')
`
    await using project = await makeProject(
      {
        'vitest.config.ts': withOptions(
          {},
          { setupFiles: ['./setup.ts'], env: { DATABASE_URL: 'postgresql://real/from-test-env' } },
        ),
        'migrations/1.sql': usersTable,
        'setup.ts': check,
        'src/database.ts': check,
        'a.test.ts': `import { expect, test } from 'vitest'
import './src/database.ts'
import { execSync } from 'node:child_process'
test('children and import.meta.env see it too', () => {
  expect(execSync('echo $DATABASE_URL', { encoding: 'utf8' }).trim()).toBe(process.env.DATABASE_URL)
  expect(import.meta.env.DATABASE_URL).toBe(process.env.DATABASE_URL)
})
`,
      },
      { version },
    )
    for (const pool of ['forks', 'threads', 'vmForks', 'vmThreads']) {
      const { exitCode, all } = await project.vitest(['run', `--pool=${pool}`])
      expect(exitCode, `${pool}: ${String(all)}`).toBe(0)
    }
  })

  test('scope worker: files that run one after the other share a branch', async () => {
    await using _home = makeHome()
    const file = `import pg from 'pg'
import { expect, test } from 'vitest'
test('adds one', async () => {
  const client = new pg.Client()
  await client.connect()
  await client.query("INSERT INTO users (name) VALUES ('x')")
  console.log('COUNT ' + (await client.query('SELECT count(*)::int AS n FROM users')).rows[0].n)
  await client.end()
})
`
    await using project = await makeProject(
      {
        'vitest.config.ts': withOptions({ scope: 'worker' }),
        'migrations/1.sql': usersTable,
        ...Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [`${name}.test.ts`, file])),
      },
      { version },
    )
    const { exitCode, all } = await project.vitest(['run', '--maxWorkers=1'])
    expect(exitCode, String(all)).toBe(0)
    const counts = [...String(all).matchAll(/COUNT (\d+)/g)].map(([, count]) => Number(count))
    expect(counts).toHaveLength(6)
    // Workers overlap, so there are a few branches; but not one for each file.
    expect(Math.max(...counts)).toBeGreaterThan(101)
  })

  test('projects with different configurations side by side', async () => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        'vitest.config.ts': `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { projects: ['one', 'two'] } })
`,
        'one/vitest.config.ts': withOptions({}, { name: 'one' }),
        'one/migrations/1.sql': 'CREATE TABLE t AS SELECT 1 AS n',
        'one/package.json': '{}',
        'one/a.test.ts': queryTest('one', ['SELECT n FROM t'], 1),
        'two/vitest.config.ts': withOptions({}, { name: 'two' }),
        'two/pg-branch.config.mjs': `export default { database: 'two', seed: async ({ client }) => { await client.query('CREATE TABLE t AS SELECT 2 AS n') } }`,
        'two/a.test.ts': queryTest('two', ['SELECT n FROM t'], 2),
        'two/b.test.ts': queryTest('two', ['SELECT current_database()'], 'two'),
      },
      { version },
    )
    const { exitCode, all } = await project.vitest()
    expect(all).toMatch(/3 passed \(3\)/)
    expect(exitCode).toBe(0)
  })

  test('a failed test keeps its branch and prints how to open it; a passed one does not', async () => {
    await using home = makeHome()
    await using project = await makeProject(
      {
        'vitest.config.ts': oneLineConfig,
        'migrations/1.sql': usersTable,
        'pass.test.ts': queryTest('passes', ['SELECT 1'], 1),
        'fail.test.ts': queryTest(
          'fails',
          ["INSERT INTO users (name) VALUES ('evidence') RETURNING id", 'SELECT 1'],
          2,
        ),
      },
      { version },
    )
    const { exitCode, all } = await project.vitest()
    expect(exitCode).toBe(1)
    const lines = [...String(all).matchAll(/PGPASSFILE=(\S+) psql -h (\S+) -p (\d+) -U (\S+) (\S+)/g)]
    expect(lines).toHaveLength(1)
    expect(all).toMatch(/fail\.test\.ts > fails: its branch is kept for 1 h 00 min/)
    const [, passFile = '', host, port, user, database] = lines[0] ?? []
    const password = readFileSync(passFile, 'utf8').trim().split(':').at(-1) ?? ''
    expect(String(all)).not.toContain(password)
    const client = new pg.Client({
      host: host ?? '',
      port: Number(port),
      user: user ?? '',
      database: database ?? '',
      password,
    })
    await client.connect()
    expect((await client.query("SELECT count(*)::int AS n FROM users WHERE name = 'evidence'")).rows).toEqual([
      { n: 1 },
    ])
    await client.end()
    expect(home.supervisorPid()).toBeDefined()
  })
})

test('a real database is out of reach: sentinel before a lease, in other variables, and after it', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': withOptions({}, { globalSetup: ['./global.ts'] }),
    'migrations/1.sql': usersTable,
    'global.ts': `export default () => { if (process.env.DATABASE_URL !== 'postgres://me:secret@prod.example/db') throw new Error('the main process is not ours to change') }`,
    'a.test.ts': `import { expect, test } from 'vitest'
test('nothing real is left', () => {
  const text = JSON.stringify(process.env)
  expect(text).not.toContain('prod.example')
  expect(process.env.REPLICA_URL).toContain('no-pg-branch-behind-this-variable.invalid')
  expect(process.env.PGSERVICE).toBeUndefined()
  expect(process.env.PGHOSTADDR).toBeUndefined()
})
`,
  })
  const env = {
    DATABASE_URL: 'postgres://me:secret@prod.example/db',
    REPLICA_URL: 'postgresql://me:secret@prod.example/replica',
    PGHOST: 'prod.example',
    PGHOSTADDR: '10.0.0.1',
    PGSERVICE: 'prod',
    PGSSLMODE: 'require',
  }
  const { exitCode, all } = await project.vitest(['run'], { env })
  expect(exitCode, String(all)).toBe(0)
})

test('wrong options are refused with the nearest right one', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': withOptions({ scoop: 'file' }),
    'a.test.ts': queryTest('never runs', ['SELECT 1'], 1),
  })
  const { exitCode, all } = await project.vitest()
  expect(exitCode).toBe(1)
  expect(all).toMatch(/`scoop` is not an option; did you mean `scope`\?/)
  // Where nobody looks for them, they are not passed over.
  await project.write({
    'vitest.config.ts': `export default { test: { environment: 'pg-branch', environmentOptions: { scope: 'test' } } }`,
  })
  const beside = await project.vitest()
  expect(beside.exitCode).toBe(1)
  expect(beside.all).toMatch(/`scope` stands beside `pgBranch` and not in it/)
})

test('a broken seed fails every file with the place and Postgres’s own words, and leaves nothing', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': 'CREATE TABLE a (n int);\n\nINSERT INTO a\n  VALUES (1), (nonsense);\n',
    ...Object.fromEntries(['a', 'b', 'c'].map((name) => [`${name}.test.ts`, queryTest('never runs', ['SELECT 1'], 1)])),
  })
  const { exitCode, all } = await project.vitest()
  expect(exitCode).toBe(1)
  expect(all).toMatch(/Test Files {2}3 failed \(3\)/)
  // Vitest prints an error that several files share once.
  expect(all).toMatch(/migrations\/1\.sql:4:16: column "nonsense" does not exist/)
  expect(await settle(() => home.findLeftovers().filter((item) => /build-/.test(item)))).toEqual([])
})

test('quiet in CI, visible in a terminal', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': `${usersTable}SELECT pg_sleep(1.5);`,
    'a.test.ts': queryTest('runs', ['SELECT 1'], 1),
  })
  const inCi = await project.vitest(['run'], { env: { CI: 'true' } })
  expect(String(inCi.all).match(/^pg-branch: .*/gm)).toEqual([
    expect.stringMatching(/^pg-branch: template built in [\d.]+ s, 1 step \(first build of this project\)$/),
    expect.stringMatching(/^pg-branch: recognised plain SQL/),
  ])
  await project.write({ 'migrations/2.sql': 'SELECT pg_sleep(1.5);' })
  // `script` gives Vitest a terminal of its own.
  const command = `script -qec "${process.execPath} node_modules/vitest/vitest.mjs run" /dev/null`
  const { execa } = await import('execa')
  const inTerminal = await execa('sh', ['-c', command], {
    cwd: project.dir,
    env: { ...process.env, CI: '', NO_COLOR: '1' },
    extendEnv: false,
    reject: false,
  })
  expect(inTerminal.stdout).toMatch(/pg-branch: step 1 of 1: sql migrations\/\*\.sql.* · .*\d statements?\b/)
})
