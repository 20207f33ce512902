import pg from 'pg'
import { expect, test } from 'vitest'
import { runCli, runJson } from '../support/cli.ts'
import { usersFiles, type Diff } from '../support/diff.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { query } from '../support/query.ts'

interface Branch {
  variables: { DATABASE_URL: string }
}

test('a diff knows definitions of every kind, in every database of a branch', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `import { defineConfig, sql } from 'pg-branch'
      export default defineConfig({
        databases: { main: { seed: sql('main.sql') }, other: { seed: sql('other.sql') } },
        onFork: "UPDATE odd SET t = 'forked ' || clock_timestamp(); INSERT INTO forks VALUES (DEFAULT)",
      })`,
    // A column with the name that a query might give the row; and what each fork adds.
    'main.sql': `CREATE TABLE odd (id int PRIMARY KEY, t text, more text, at timestamptz DEFAULT '2026-01-01');
      INSERT INTO odd (id, t) SELECT n, 'x' FROM generate_series(1, 3000) AS n;
      CREATE TABLE forks (id int GENERATED ALWAYS AS IDENTITY);
      CREATE TABLE twins (x int); INSERT INTO twins SELECT 1 FROM generate_series(1, 5000);
      CREATE VIEW v AS SELECT id FROM odd;
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER watched BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION f();`,
    'other.sql': 'CREATE TABLE elsewhere (id int);',
  })
  await runJson(project.dir, ['branch', 'create', 'dev'])
  await runJson(project.dir, ['branch', 'snapshot', 'dev', 'before'])
  expect(await runJson<Diff>(project.dir, ['branch', 'diff', 'dev@before', 'dev'])).toEqual({ schema: [], tables: [] })
  const { variables } = await runJson<Branch>(project.dir, ['branch', 'show', 'dev'])
  await query(
    variables.DATABASE_URL,
    `UPDATE odd SET more = 'changed' WHERE id = 7; DELETE FROM twins WHERE ctid IN (SELECT ctid FROM twins LIMIT 2);
     ALTER DATABASE main SET timezone = 'Asia/Tokyo';
     CREATE ROLE reader;
     CREATE TYPE nothing AS ENUM (); CREATE TYPE span AS RANGE (subtype = int);
     CREATE TABLE bare (); CREATE TABLE child () INHERITS (odd);
     CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
     GRANT SELECT ON odd TO reader; GRANT UPDATE (more) ON odd TO reader; GRANT USAGE ON SCHEMA public TO reader;
     ALTER TABLE twins OWNER TO reader; ALTER VIEW v SET (security_invoker = true);
     COMMENT ON COLUMN odd.more IS 'why'; ALTER TABLE odd DISABLE TRIGGER watched;
     CREATE STATISTICS corr ON id, t FROM odd; CREATE RULE quiet AS ON DELETE TO forks DO INSTEAD NOTHING;
     CREATE TRIGGER instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
     CREATE PUBLICATION news FOR TABLE odd; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;`,
  )
  const other = variables.DATABASE_URL.replace('/main', '/other')
  await query(other, 'ALTER TABLE elsewhere ADD COLUMN name text; INSERT INTO elsewhere VALUES (1)')
  const diff = await runJson<Diff>(project.dir, ['branch', 'diff', 'dev@before', 'dev', '--samples', '0'])
  const lines = diff.schema.map(({ object, change, lines: changed }) => `${change} ${object}: ${changed.join('; ')}`)
  expect(lines).toEqual([
    "added aggregate public.total(integer): + SFUNC int4pl STYPE integer INITCOND '0'",
    'changed database: + SET TimeZone=Asia/Tokyo',
    'added default privileges of postgres: + GRANT SELECT TO reader (r)',
    expect.stringMatching(/^added publication news: \+ pubowner role postgres; \+ puballtables false; /) as string,
    'added publication relation public.child in publication news: + prpubid publication news; + prrelid table public.child',
    'added publication relation public.odd in publication news: + prpubid publication news; + prrelid table public.odd',
    'added role reader: + role',
    'changed schema public: + GRANT USAGE TO reader',
    'added table public.bare: + no columns',
    expect.stringMatching(/^added table public\.child: .*\+ INHERITS public\.odd/) as string,
    'changed table public.forks: + rule RULE quiet AS ON DELETE TO public.forks DO INSTEAD NOTHING;',
    expect.stringMatching(
      /^changed table public\.odd: - trigger TRIGGER watched .*; \+ trigger TRIGGER watched .* DISABLED; \+ statistics .*; \+ GRANT SELECT TO reader; \+ GRANT UPDATE \(more\) TO reader; \+ comment on more 'why'$/,
    ) as string,
    'changed table public.twins: + owner reader',
    'added type public.nothing: + enum',
    'added type public.span: + range of integer MULTIRANGE public.span_multirange',
    expect.stringMatching(
      /^changed view public\.v: \+ trigger TRIGGER instead .*; \+ WITH \(security_invoker=true\)$/,
    ) as string,
    'changed table public.elsewhere: + column name text',
  ])
  expect(diff.tables.map(({ table, added, changed, removed }) => [table, added, changed, removed])).toEqual([
    ['public.bare', 0, 0, 0],
    ['public.child', 0, 0, 0],
    ['public.odd', 0, 1, 0],
    ['public.twins', 0, 0, 2],
    ['public.elsewhere', 1, 0, 0],
  ])
  const text = await runCli(project.dir, ['branch', 'diff', 'dev@before', 'dev'])
  expect(text.stdout).toMatch(
    /^changed table public\.elsewhere in other$[\s\S]*^rows of public\.elsewhere in other: 1 added$/m,
  )
  expect(await home.end()).toEqual([])
})

test('a lock that somebody holds ends a diff with a word about it', async () => {
  await using home = makeHome()
  await using project = await makeProject(usersFiles)
  const { variables } = await runJson<Branch>(project.dir, ['branch', 'create', 'dev'])
  const client = new pg.Client(variables.DATABASE_URL)
  client.on('error', () => {})
  await client.connect()
  await client.query('BEGIN; LOCK users IN ACCESS EXCLUSIVE MODE')
  const { stderr, exitCode } = await runCli(project.dir, ['branch', 'diff', 'dev'])
  expect(stderr).toMatch(/could not be compared: .*lock timeout\n.*end that transaction.*PGB_DIFF/)
  expect(exitCode).toBe(2)
  await client.end()
  // A service that is set up for another database has no say in psql.
  const env = { PGSERVICE: 'production', PGHOSTADDR: '192.0.2.1', PGOPTIONS: '-c search_path=nowhere' }
  const psql = await runCli(project.dir, ['branch', 'psql', 'dev', '--', '-Atc', 'SELECT count(*) FROM users'], { env })
  expect(psql.all).toBe('5')
  expect(await home.end()).toEqual([])
})
