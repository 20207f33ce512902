import { cp } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { runCli } from '../support/cli.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, type TestProject } from '../support/project.ts'

// Small projects, each of which once failed: public bug reports of people who do this job, tried on the product.

type Options = Parameters<typeof makeProject>[1]

/** A copy of `test/cases/<name>`, with other files beside what is there. */
async function openCase(name: string, files: Record<string, string> = {}, options?: Options): Promise<TestProject> {
  const isJest = name === '29' || name === '37'
  const manifest = { 'package.json': JSON.stringify({ name: 'user', ...(isJest ? {} : { type: 'module' }) }) }
  const project = await makeProject(manifest, options)
  await cp(fileURLToPath(new URL(`../cases/${name}`, import.meta.url)), project.dir, { recursive: true })
  await project.write(files)
  return project
}

const configure = (seed: string, rest = '') => ({
  'pg-branch.config.mjs': `import { command, defineConfig, dump, sql } from 'pg-branch'
export default defineConfig({ seed: [${seed}], ${rest} })`,
})

const vitestConfig = (test = {}) => ({
  'vitest.config.js': `export default { test: ${JSON.stringify({ environment: 'pg-branch', ...test })} }`,
})
const scopeTest = { environmentOptions: { pgBranch: { scope: 'test' } } }

const cities = [{ name: 'Málaga' }, { name: 'Orléans' }, { name: 'plain' }]

describe('bytes reach the server as they are', () => {
  test.each([
    "dump('latin1.sql')",
    "dump('latin1.dump')",
    "dump('latin1.sql.gz')",
    "dump('latin1-inserts.sql')",
    "sql('latin1.sql')",
  ])('01: a dump in LATIN1, by %s', async (seed) => {
    await using _home = makeHome()
    await using project = await openCase('01', configure(seed))
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT name FROM city ORDER BY name COLLATE "C"')).toEqual(cities)
  })

  test('02: a byte of Windows-1252 in a project in UTF-8 is the server’s error, with its place', async () => {
    await using _home = makeHome()
    await using project = await openCase('02')
    await expect(leaseBranch(project.dir)).rejects.toThrow(
      /001_place\.sql:2:\d+: invalid byte sequence for encoding "UTF8": 0xe9/,
    )
  })

  test('03: UTF-16, which PowerShell’s > writes', async () => {
    await using _home = makeHome()
    await using migrations = await openCase('03')
    await using first = await leaseBranch(migrations.dir)
    expect(await first.query('SELECT name FROM place')).toEqual([{ name: 'x' }])
    await using dump = await openCase('03b')
    await using second = await leaseBranch(dump.dir)
    expect(await second.query('SELECT name FROM city ORDER BY name COLLATE "C"')).toEqual(cities)
  })

  test('04: standard_conforming_strings = off', async () => {
    await using _home = makeHome()
    await using project = await openCase('04')
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT body FROM note ORDER BY id')).toEqual([
      { body: "it's; fine" },
      { body: 'second' },
    ])
  })
})

describe('dumps load as psql loads them', () => {
  test.each(['clean.sql', 'quoted.sql'])('06: %s', async (file) => {
    await using _home = makeHome()
    await using project = await openCase('06', configure(`dump('${file}')`))
    await using branch = await leaseBranch(project.dir)
    const count =
      "SELECT count(*)::int AS n FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"
    const [row] = await branch.query(count)
    expect(row?.n).toBeGreaterThan(5)
  })

  test.each(["dump('all.sql')", "dump('allclean.sql')", "dump('allcleanif.sql')", "sql('roles.sql'), dump('all.sql')"])(
    '07: pg_dumpall, by %s',
    async (seed) => {
      await using _home = makeHome()
      await using project = await openCase('07', configure(seed))
      await using branch = await leaseBranch(project.dir)
      const roles = await branch.query('SELECT rolname FROM pg_roles WHERE oid >= 16384 ORDER BY 1')
      expect(roles.length).toBeGreaterThan(0)
    },
  )

  test('38: COMMENT ON EXTENSION, for a user who is no superuser', async () => {
    await using _home = makeHome()
    await using project = await openCase('38', configure("dump('old.sql')", "user: { name: 'app' }"))
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT current_user::text AS name')).toEqual([{ name: 'app' }])
  })
})

describe('migrations run as their tools run them', () => {
  test('09: Flyway, a transaction for each file', async () => {
    await using _home = makeHome()
    await using project = await openCase('09', { 'flyway.toml': '[flyway]\nlocations = ["filesystem:migrations"]\n' })
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM parent')).toEqual([{ n: 6 }])
  })

  test('09: and without Flyway’s own configuration, by the names of its files', async () => {
    await using _home = makeHome()
    await using project = await openCase('09')
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM parent')).toEqual([{ n: 6 }])
  })

  test('10: Supabase', async () => {
    await using _home = makeHome()
    await using project = await openCase('10')
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM parent')).toEqual([{ n: 2 }])
  })

  test('40: what the server said of a migration whose tool says nothing', async () => {
    await using _home = makeHome()
    await using project = await openCase('40', {}, { tools: ['drizzle-kit', 'drizzle-orm'] })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/relation "usrs" does not exist/)
  })

  test('48: NODE_ENV is a part of the key, and a build is one for tests', async () => {
    await using _home = makeHome()
    const check = {
      'k.test.js': `import pg from 'pg'
import { expect, test } from 'vitest'
test('seeds of the tests', async () => {
  const client = new pg.Client(process.env.DATABASE_URL)
  await client.connect()
  expect((await client.query('SELECT name FROM users')).rows).toEqual([{ name: 'from test' }])
  await client.end()
})`,
    }
    for (const name of ['48', '48b']) {
      await using project = await openCase(name, vitestConfig(), { tools: ['knex'] })
      const built = await runCli(project.dir, ['template', 'build'])
      expect(built.exitCode, built.all).toBe(0)
      await project.write(check)
      const run = await project.vitest()
      expect(run.exitCode, String(run.all)).toBe(0)
      expect(run.all).not.toMatch(/template built/)
    }
  })
})

describe('a user’s own databases stay out of reach', () => {
  test('27: addresses of `test.env` are hidden, and what makes connections fail is taken away', async () => {
    await ensureDebianPackages(['/usr/bin/psql'], ['postgresql-client'])
    await using _home = makeHome()
    const env = {
      DATABASE_URL: 'postgres://postgres@127.0.0.1:5515/postgres',
      PGHOST: '127.0.0.1',
      PGPORT: '5515',
      READ_URL: 'postgres://postgres@127.0.0.1:5515/postgres',
    }
    await using project = await openCase(
      '27',
      vitestConfig({ env, setupFiles: ['./setup.js'], include: ['env.test.js'] }),
      { modules: { postgres: 'postgres' } },
    )
    const hidden = await project.vitest()
    expect(hidden.exitCode, String(hidden.all)).toBe(0)
    expect(hidden.all).not.toContain('5515')
    expect(hidden.all).toMatch(/READ_URL getaddrinfo (ENOTFOUND|EAI_AGAIN) read-url\.no-pg-branch/)
    const tls = {
      PGSSLMODE: 'require',
      PGOPTIONS: '-c search_path=nowhere',
      PGSERVICE: 'dev',
      PGPASSFILE: '/path/to/file',
    }
    await project.write(vitestConfig({ env: tls, include: ['ssl.test.js'] }))
    const plain = await project.vitest()
    expect(plain.exitCode, String(plain.all)).toBe(0)
    expect(plain.all).not.toContain('nowhere')
  })

  describe('30', () => {
    let home: TestHome | undefined
    let project: TestProject | undefined
    beforeAll(async () => {
      home = makeHome()
      project = await makeProject({ 'migrations/1.sql': 'SELECT 1;' })
    })
    afterAll(async () => {
      await project?.[Symbol.asyncDispose]()
      await home?.[Symbol.asyncDispose]()
    })

    test.each([
      'postgresql+psycopg://me:pw@db.example.test/prod',
      'postgresql+asyncpg://me:pw@db.example.test/prod',
      'psql://me:pw@db.example.test/prod',
      'ecto://me:pw@db.example.test/prod',
      'r2dbc:postgresql://db.example.test/prod',
      'jdbc:tc:postgresql:16:///prod?host=db.example.test',
      '"postgres://me:pw@db.example.test/prod"',
      '  postgres://me:pw@db.example.test/prod',
      'host=db.example.test dbname=prod user=me password=pw',
    ])('%s', async (address) => {
      const result = await runCli(project?.dir ?? '', ['run', '--', 'sh', '-c', 'echo "$SOME_URI"'], {
        env: { SOME_URI: address },
      })
      expect(result.exitCode, result.all).toBe(0)
      expect(result.stdout).not.toMatch(/db\.example\.test|pw/)
      expect(result.stdout).toMatch(/some-uri\.no-pg-branch-behind-this-variable\.invalid|127\.0\.0\.1/)
    })
  })
})

describe('tests of one file', () => {
  test.each([
    ['20', 'one test leaves nothing to the next, and no innocent one fails', []],
    ['21', 'limits of a few milliseconds', []],
    ['31', 'roles that log in, as plain Postgres lets them', []],
    ['33', 'unlogged tables keep their rows', []],
    ['34', 'pools that nobody ends are ordinary', ['postgres']],
    ['50', 'eighty connections at once', []],
  ])('%s: %s', async (name, _title, modules) => {
    await using _home = makeHome()
    const options = { modules: Object.fromEntries(modules.map((module) => [module, module])) }
    await using project = await openCase(name, vitestConfig(scopeTest), options)
    // A function of a session goes with it, as a temporary table does: that is told, not hidden.
    const each = await project.vitest(['run', '--exclude', 'temp-fn.test.js'])
    expect(each.exitCode, String(each.all)).toBe(0)
    expect(each.all).not.toMatch(/Unhandled|pool error|client error/)
  })

  test.each(['31', '34', '50'])('%s: in scope file', async (name) => {
    await using _home = makeHome()
    await using project = await openCase(name, vitestConfig(), { modules: { postgres: 'postgres' } })
    // What the first test makes is there in the second.
    const run = await project.vitest(['run', '-t', name === '31' ? 'roles 0' : ''])
    expect(run.exitCode, String(run.all)).toBe(0)
    expect(run.all).not.toMatch(/Unhandled/)
  })

  test.each([
    ['vmForks', 'npm'],
    ['vmForks', 'pnpm'],
    ['vmThreads', 'npm'],
    ['vmThreads', 'pnpm'],
  ] as const)('36: pool %s, installed by %s', async (pool, installer) => {
    await using _home = makeHome()
    await using project = await openCase('36', vitestConfig(), { installer })
    const run = await project.vitest(['run', `--pool=${pool}`, '--maxWorkers=1'])
    expect(run.exitCode, String(run.all)).toBe(0)
    expect(run.all).toContain('9 passed')
  })

  test('20: a function in pg_temp is told of, with the test that left it', async () => {
    await using _home = makeHome()
    await using project = await openCase('20', vitestConfig(scopeTest))
    const run = await project.vitest(['run', 'temp-fn'])
    expect(run.all).toMatch(
      /temp-fn\.test\.js > 1: left open: the temporary function helper; its connection was closed/,
    )
  })

  test('29: jest-jasmine2 works, or is refused by name where it cannot', async () => {
    await using _home = makeHome()
    await using project = await openCase('29', {}, { modules: { 'jest-jasmine2': 'jest-jasmine2' } })
    const env = { RUNNER: 'jest-jasmine2' }
    const file = await project.jest(['b.test.js', 'pool.test.js'], { env: { ...env, SCOPE: 'file' } })
    expect(file.exitCode, String(file.all)).toBe(0)
    expect(file.all).not.toContain('is kept')
    const each = await project.jest(['b.test.js'], { env: { ...env, SCOPE: 'test' } })
    expect(each.exitCode).toBe(1)
    expect(each.all).toMatch(/jest-jasmine2/)
    const circus = await project.jest([], { env: { SCOPE: 'test' } })
    expect(circus.exitCode, String(circus.all)).toBe(0)
  })

  test.each([
    [['--forceExit'], 'npm'],
    [[], 'npm'],
    [[], 'pnpm'],
  ] as const)('37: Jest, pools that nobody ends %j, installed by %s', async (args, installer) => {
    await using _home = makeHome()
    await using project = await openCase('37', {}, { installer })
    for (const scope of ['test', 'file']) {
      const run = await project.jest([...args], { env: { SCOPE: scope } })
      expect(run.exitCode, String(run.all)).toBe(0)
    }
  })
})
