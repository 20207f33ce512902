import pg from 'pg'
import { expect, test } from 'vitest'
import { runCli, runJson } from '../support/cli.ts'
import { usersFiles, type Diff } from '../support/diff.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { query } from '../support/query.ts'

interface Branch {
  name: string
  created: boolean
  expiresAt?: string
  labels: Record<string, string>
  snapshots: string[]
  variables: { DATABASE_URL: string }
}

test('a named branch outlives its maker, is made once, and keeps its URL', async () => {
  await using home = makeHome()
  await using project = await makeProject({ ...usersFiles, 'deep/down/x': '' })
  const args = ['branch', 'create', 'dev', '--ttl', '2h', '--label', 'owner=me,pr=12']
  const first = await runJson<Branch>(project.dir, args)
  expect(first).toMatchObject({ name: 'dev', created: true, labels: { owner: 'me', pr: '12' } })
  const { DATABASE_URL: url } = first.variables
  await query(url, "INSERT INTO users (name) VALUES ('of dev')")
  // From anywhere in the project it is the same.
  const again = await runJson<Branch>(`${project.dir}/deep/down`, ['branch', 'create', 'dev'])
  expect(again).toMatchObject({ created: false, variables: { DATABASE_URL: url }, expiresAt: first.expiresAt })
  expect((await runCli(project.dir, ['branch', 'url', 'dev'])).stdout).toBe(url)
  expect((await runCli(project.dir, ['branch', 'url', 'dev', '--env'])).stdout).toContain(`DATABASE_URL=${url}\n`)
  expect((await runCli(project.dir, ['branch', 'ls'])).stdout).toMatch(
    /^NAME +FROM +ENDS +CONNECTIONS +LABELS\ndev +[0-9a-f]{8} +in [12] h \d\d min +0 +owner=me,pr=12$/,
  )
  const shown = await runCli(project.dir, ['branch', 'show', 'dev'])
  expect(shown.stdout).toContain(`DATABASE_URL=${url}`)
  const psql = await runCli(project.dir, ['branch', 'psql', 'dev', '--', '-Atc', 'SELECT count(*) FROM users'])
  expect(psql.stdout).toBe('6')
  expect((await runCli(project.dir, ['branch', 'psql', 'dev', '--', '-c', 'SELECT nothing'])).exitCode).toBe(1)
  // Another project's branches are its own.
  await using other = await makeProject(usersFiles)
  expect((await runCli(other.dir, ['branch', 'ls'])).stdout).toMatch(/^there are none/)
  expect((await runCli(other.dir, ['branch', 'ls', '--all'])).stdout).toContain(project.dir)
  expect((await runCli(project.dir, ['status'])).stdout).toContain(`dev of ${project.dir}`)
  expect((await runCli(project.dir, ['branch', 'rm', 'dev'])).stdout).toBe('removed dev')
  await expect(query(url, 'SELECT 1')).rejects.toThrow()
  expect((await runCli(project.dir, ['branch', 'url', 'dev'])).exitCode).toBe(1)
  expect(await home.end()).toEqual([])
})

test('snapshots, restores and forks, with a pool left open; what changed is told to the row', async () => {
  await using home = makeHome()
  await using project = await makeProject(usersFiles)
  const { variables } = await runJson<Branch>(project.dir, ['branch', 'create', 'dev'])
  const url = variables.DATABASE_URL
  const pool = new pg.Pool({ connectionString: url, max: 3 })
  pool.on('error', () => {})
  await Promise.all([1, 2, 3].map(() => pool.query('SELECT pg_sleep(0.05)')))
  await pool.query("INSERT INTO users (name) VALUES ('six'); DELETE FROM users WHERE name = 'user 1'")
  await pool.query("UPDATE users SET name = 'changed' WHERE name = 'user 2'")
  expect((await runCli(project.dir, ['branch', 'snapshot', 'dev', 'one'])).stdout).toBe('saved dev@one')
  const migration = `
    CREATE TYPE mood AS ENUM ('good', 'bad');
    ALTER TABLE users ADD COLUMN mood mood NOT NULL DEFAULT 'good';
    CREATE INDEX users_mood ON users (mood);
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users USING (name = current_user);
    CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
    CREATE VIEW names AS SELECT name FROM users;
    CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users);
    INSERT INTO notes VALUES (1, NULL);`
  await pool.query(migration)
  await runJson(project.dir, ['branch', 'fork', 'dev', 'feature/try', '--ttl', '10m'])
  await runJson(project.dir, ['branch', 'fork', 'dev@one', 'old'])

  const rows = await runJson<Diff>(project.dir, ['branch', 'diff', 'template', 'dev@one'])
  expect(rows.schema).toEqual([
    { object: 'sequence public.users_id_seq', change: 'changed', lines: ['- position 5', '+ position 6'] },
  ])
  expect(rows.tables).toEqual([
    { table: 'public.users', added: 1, changed: 1, removed: 1, samples: expect.any(Array) as unknown[] },
  ])
  expect(JSON.stringify(rows.tables[0]?.samples)).toContain('changed')
  const definitions = await runJson<Diff>(project.dir, ['branch', 'diff', 'old', 'feature/try', '--samples', '0'])
  expect(definitions.schema.map(({ object, change }) => `${change} ${object}`)).toEqual([
    'added function public.twice(n integer)',
    'added table public.notes',
    'changed table public.users',
    'added type public.mood',
    'added view public.names',
  ])
  expect(definitions.schema.find(({ object }) => object === 'table public.users')?.lines).toEqual([
    "+ column mood public.mood NOT NULL DEFAULT 'good'::public.mood",
    '+ ENABLE ROW LEVEL SECURITY',
    '+ index INDEX users_mood ON public.users USING btree (mood)',
    '+ policy own PERMISSIVE FOR ALL TO public USING ((name = CURRENT_USER))',
  ])
  expect(definitions.tables).toContainEqual({
    table: 'public.notes',
    added: 1,
    changed: 0,
    removed: 0,
    definition: 'created',
  })
  const text = await runCli(project.dir, ['branch', 'diff', 'dev', '--exit-code'])
  expect(text.exitCode).toBe(1)
  expect(text.stdout).toMatch(
    /^from template to dev\nadded function public\.twice\(n integer\)\n {2}\+ CREATE OR REPLACE FUNCTION/,
  )
  expect(text.stdout).toContain('rows of public.notes: 1 added\n  + {"id":1,"user_id":null}')

  expect((await runCli(project.dir, ['branch', 'restore', 'dev', 'one'])).stdout).toBe('dev is back at @one')
  expect(
    (await pool.query<{ name: string }>('SELECT name FROM users ORDER BY id')).rows.map(({ name }) => name),
  ).toEqual(['changed', 'user 3', 'user 4', 'user 5', 'six'])
  expect((await runCli(project.dir, ['branch', 'restore', 'dev'])).stdout).toBe('dev is back at its beginning')
  expect((await pool.query('SELECT * FROM users')).rowCount).toBe(5)
  expect((await runCli(project.dir, ['branch', 'diff', 'dev', '--exit-code'])).exitCode).toBe(0)
  // Whoever is in the middle of something is told of it.
  const client = await pool.connect()
  client.on('error', () => {})
  await client.query("BEGIN; INSERT INTO users (name) VALUES ('open')")
  expect(await runJson(project.dir, ['branch', 'restore', 'dev'])).toMatchObject({ closed: 1 })
  await expect(client.query('COMMIT')).rejects.toThrow()
  client.release(true)
  // A parent may go before its children.
  expect((await runCli(project.dir, ['branch', 'rm', 'dev'])).exitCode).toBe(0)
  const old = await runJson<Branch>(project.dir, ['branch', 'show', 'old'])
  expect(await query(old.variables.DATABASE_URL, "SELECT * FROM users WHERE name = 'six'")).toHaveLength(1)
  await pool.end()
  expect(await home.end()).toEqual([])
})

test('a branch ends when its time is over; the supervisor stays for those that are left', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    ...usersFiles,
    'pg-branch.config.mjs': 'export default { idleTimeoutMs: 500 }',
  })
  const short = await runJson<Branch>(project.dir, ['branch', 'create', 'short', '--ttl', '4s'])
  await runJson(project.dir, ['branch', 'create', 'long', '--ttl', 'never'])
  expect(await query(short.variables.DATABASE_URL, 'SELECT 1')).toHaveLength(1)
  const pid = home.supervisorPid()
  await expect.poll(() => runJson<Branch[]>(project.dir, ['branch', 'ls']), { timeout: 20_000 }).toHaveLength(1)
  await expect(query(short.variables.DATABASE_URL, 'SELECT 1')).rejects.toThrow()
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(home.supervisorPid()).toBe(pid)
  // A later `create` may lengthen its life, and never shortens it.
  const same = await runJson<Branch & { notices: string[] }>(project.dir, ['branch', 'create', 'long', '--ttl', '1s'])
  expect(same).toMatchObject({ created: false })
  expect(same.expiresAt).toBeUndefined()
  expect(same.notices.join()).toMatch(/keeps its time, which is longer/)
  await runJson(project.dir, ['branch', 'create', 'lengthened', '--ttl', '3s'])
  const lengthened = await runJson<Branch>(project.dir, ['branch', 'create', 'lengthened', '--ttl', '1h'])
  expect(Date.parse(lengthened.expiresAt ?? '') - Date.now()).toBeGreaterThan(1_000_000)
  for (const name of ['long', 'lengthened']) await runJson(project.dir, ['branch', 'rm', name])
  await expect.poll(() => home.supervisorPid(), { timeout: 20_000 }).toBeUndefined()
  await expect.poll(() => home.findLeftovers(), { timeout: 5_000 }).toEqual([])
})

test('many at once of one name are one; a changed seed is said', async () => {
  await using home = makeHome()
  await using project = await makeProject(usersFiles)
  const made = await Promise.all([1, 2, 3, 4].map(() => runJson<Branch>(project.dir, ['branch', 'create', 'shared'])))
  expect(new Set(made.map(({ variables }) => variables.DATABASE_URL)).size).toBe(1)
  expect(made.filter(({ created }) => created)).toHaveLength(1)
  const before = await runJson<Array<{ key: string; isCurrent: boolean }>>(project.dir, ['template', 'ls'])
  const old = before.find(({ isCurrent }) => isCurrent)?.key ?? ''
  await project.write({ 'migrations/2.sql': 'CREATE TABLE later (id int);' })
  const again = await runCli(project.dir, ['branch', 'create', 'shared'])
  expect(again.all).toContain('the seed has changed since the branch shared was made')
  const diff = await runJson<Diff>(project.dir, ['branch', 'diff', `template:${old.slice(0, 10)}`, 'template'])
  expect(diff.schema).toEqual([{ object: 'table public.later', change: 'added', lines: ['+ column id integer'] }])
  const used = await runCli(project.dir, ['template', 'rm', old])
  expect(used.exitCode).toBe(1)
  expect(used.all).toContain('is in use by branch shared')
  await runCli(project.dir, ['branch', 'rm', 'shared'])
  expect((await runCli(project.dir, ['template', 'rm', old])).stdout).toBe(`removed ${old}`)
  expect((await runCli(project.dir, ['template', 'show', old.slice(0, 8)])).exitCode).toBe(1)
  expect(await home.end()).toEqual([])
})

test('what is refused changes nothing: not the time of a branch that is there', async () => {
  await using home = makeHome()
  await using project = await makeProject(usersFiles)
  await runJson(project.dir, ['branch', 'create', 'dev', '--ttl', 'never'])
  await runJson(project.dir, ['branch', 'create', 'other'])
  const { exitCode } = await runCli(project.dir, ['branch', 'fork', 'other', 'dev', '--ttl', '1m', '--label', 'a=b'])
  expect(exitCode).toBe(1)
  const shown = await runJson<Branch>(project.dir, ['branch', 'show', 'dev'])
  expect(shown.expiresAt).toBeUndefined()
  expect(shown.labels).toEqual({})
  // Of several who fork at the same moment under one name one makes it, and all have that one.
  const forks = await Promise.all([1, 2, 3].map(() => runJson<Branch>(project.dir, ['branch', 'fork', 'other', 'one'])))
  expect(new Set(forks.map(({ variables }) => variables.DATABASE_URL)).size).toBe(1)
  expect(forks.filter(({ created }) => created)).toHaveLength(1)
  expect(await home.end()).toEqual([])
})
