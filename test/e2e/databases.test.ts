import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

test('several databases in one branch, each with its own seed and variables', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': `import { command, defineConfig, sql } from 'pg-branch'
export default defineConfig({
  databases: {
    main: { seed: [sql('main/*.sql'), async ({ client }) => { await client.query("INSERT INTO users (name) VALUES ('new')") }] },
    analytics: { seed: sql('analytics/*.sql'), env: ['WAREHOUSE_URL'] },
    'empty one': {},
  },
  env: ({ url, urls }) => ({ MAIN: urls.main, BOTH: url + ' ' + urls.analytics }),
})`,
    'main/1.sql': usersTable,
    'analytics/1.sql': 'CREATE TABLE events (n int); INSERT INTO events VALUES (1), (2);',
  })
  await using branch = await leaseBranch(project.dir)
  const { variables } = branch
  expect(new URL(branch.url).pathname).toBe('/main')
  expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 101 }])
  expect(variables.WAREHOUSE_URL).toBe(branch.url.replace('/main', '/analytics'))
  expect(variables.ANALYTICS_DATABASE_URL).toBe(variables.WAREHOUSE_URL)
  expect(variables.EMPTY_ONE_DATABASE_URL).toBe(branch.url.replace('/main', '/empty%20one'))
  expect(variables.MAIN).toBe(branch.url)
  expect(variables.BOTH).toBe(`${branch.url} ${variables.WAREHOUSE_URL}`)
  const read = (url: string | undefined, text: string) => branch.query(text, url)
  expect(await read(variables.WAREHOUSE_URL, 'SELECT count(*)::int AS n FROM events')).toEqual([{ n: 2 }])
  expect(await read(variables.EMPTY_ONE_DATABASE_URL, 'SELECT current_database() AS d')).toEqual([{ d: 'empty one' }])

  await project.write({ 'analytics/1.sql': 'CREATE TABLE events (n int);' })
  await using next = await leaseBranch(project.dir)
  expect(next.progress.at(-1)?.done).toMatchObject({ steps: 3, stepsRun: 1 })
  expect(await next.query('SELECT count(*)::int AS n FROM events', next.variables.WAREHOUSE_URL)).toEqual([{ n: 0 }])
  await using other = await leaseBranch(project.dir)
  await next.query('INSERT INTO events VALUES (3)', next.variables.WAREHOUSE_URL)
  expect(await other.query('SELECT count(*)::int AS n FROM events', other.variables.WAREHOUSE_URL)).toEqual([{ n: 0 }])
})

test('`databases` beside `seed` or `database` is refused', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `export default { databases: { a: {} }, database: 'b' }`,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(/both `databases` and `database`/)
})

test('a user that is no superuser owns everything and can do no more', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `export default {
      database: 'shop', user: { name: 'app' },
      seed: [{ kind: 'sql', globs: ['*.sql'] }, async ({ client }) => {
        const { rows } = await client.query('SELECT current_user AS me')
        if (rows[0].me !== 'app') throw new Error('the seed runs as ' + rows[0].me)
      }],
    }`,
    '1.sql': usersTable,
  })
  await using branch = await leaseBranch(project.dir)
  expect(branch.variables.PGUSER).toBe('app')
  expect(await branch.query("SELECT tableowner FROM pg_tables WHERE tablename = 'users'")).toEqual([
    { tableowner: 'app' },
  ])
  expect(await branch.query('CREATE TABLE more (n int); SELECT 1 AS n')).toEqual([{ n: 1 }])
  await expect(branch.query('CREATE ROLE other')).rejects.toThrow(/permission denied/)
  await expect(branch.query("COPY users TO PROGRAM 'cat'")).rejects.toThrow(/permission denied/)
  // The superuser's password of this branch is nobody's, nor is it that of the template.
  const superuser = new URL(branch.url)
  superuser.username = 'postgres'
  await expect(branch.query('SELECT 1', superuser.href)).rejects.toThrow(/password authentication failed/)
})

test('locale, provider and encoding of the cluster', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `export default { seed: [], postgres: { initdb: { localeProvider: 'icu', locale: 'de-AT' } } }`,
  })
  {
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query("SELECT 'ä' < 'b' AS sorted, 'ä' < 'b' COLLATE \"C\" AS by_code")).toEqual([
      { sorted: true, by_code: false },
    ])
  }
  await project.write({
    'pg-branch.config.mjs': `export default { seed: [], postgres: { initdb: { encoding: 'LATIN1' } } }`,
  })
  {
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SHOW server_encoding')).toEqual([{ server_encoding: 'LATIN1' }])
  }
  await project.write({
    'pg-branch.config.mjs': `export default { seed: [], postgres: { initdb: { locale: 'xx_YY' } } }`,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(/initdb failed[\s\S]*xx_YY/)
})

test('extensions from directories of the user’s own', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `export default {
      postgres: { extensions: { paths: ['ext'] } }, seed: { kind: 'sql', globs: ['*.sql'] } }`,
    'ext/extension/answer.control': "comment = 'the answer'\ndefault_version = '1.0'\nrelocatable = true\n",
    'ext/extension/answer--1.0.sql': 'CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS $$ SELECT 42 $$;\n',
    '1.sql': 'CREATE EXTENSION answer;',
  })
  const { chmod } = await import('node:fs/promises')
  await chmod(project.dir, 0o711)
  await using branch = await leaseBranch(project.dir)
  expect(await branch.query('SELECT answer() AS n')).toEqual([{ n: 42 }])
  await project.write({
    'pg-branch.config.mjs': `export default { postgres: { extensions: { paths: ['nowhere'] } }, seed: [] }`,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(/nowhere, of `postgres.extensions.paths`, holds neither/)
})

test('an extension that this Postgres does not have: the error names who would', async () => {
  await using _home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': 'SELECT 1;\nCREATE EXTENSION postgis;' })
  await expect(leaseBranch(project.dir)).rejects.toThrow(
    /1\.sql:2:1: extension "postgis" is not available[\s\S]*provider: 'system'[\s\S]*postgresql-<version>-postgis-3/,
  )
})
