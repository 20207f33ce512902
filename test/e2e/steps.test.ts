import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { dataDir, testWithData } from '../support/shared-data.ts'

async function leaseWith(files: Record<string, string>, query: string): Promise<unknown> {
  await using project = await makeProject(files)
  await using branch = await leaseBranch(project.dir)
  return await branch.query(query)
}

describe('SQL steps', () => {
  test('pg_dump text: COPY blocks, dollar quoting, \\restrict, comments, functions, CRLF', async () => {
    await using _home = makeHome()
    const dump = String.raw`\restrict abc123
-- a comment; with a semicolon
/* and /* a nested */ one; */
SET check_function_bodies = false;
CREATE TABLE public.t (a int, b text, c text);
COPY public.t (a, b, c) FROM stdin;
1	tab\tand\nnewline	\N
2	semi;colon -- 'quote	\\.
\.
CREATE FUNCTION public.f() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  RETURN $$it's; "fine" \d$$;
END; $body$;
CREATE FUNCTION public.g(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 ELSE 2 END; SELECT x; END;
CREATE RULE r AS ON DELETE TO t DO INSTEAD (UPDATE t SET a = 0; UPDATE t SET b = '');
INSERT INTO t VALUES (3, E'it\'s; \\', 'a''b;'), (4, U&'\0041', '${'\u2028'}line');
SELECT pg_catalog.set_config('search_path', '', false);
\unrestrict abc123
`
    expect(
      await leaseWith(
        {
          'migrations/1.sql': dump,
          'migrations/2.sql': "\uFEFFINSERT INTO t VALUES (5, 'crlf', '');\r\nSELECT 1;\r\n",
        },
        'SELECT json_agg(t ORDER BY a)::text AS rows, f(), g(9) FROM t',
      ),
    ).toEqual([
      {
        rows: expect.any(String) as string,
        f: `it's; "fine" \\d`,
        g: 9,
      },
    ])
    const [row] = (await leaseWith(
      { 'migrations/1.sql': dump },
      'SELECT array_agg(t ORDER BY a)::text[] AS rows FROM t',
    )) as [{ rows: string[] }]
    expect(row.rows).toEqual([
      '(1,"tab\tand\nnewline",)',
      String.raw`(2,"semi;colon -- 'quote","\\.")`,
      String.raw`(3,"it's; \\",a'b;)`,
      '(4,A,\u2028line)',
    ])
  })

  test.each([
    [
      '1.sql',
      'SELECT 1;\nSELECT *\n  FROM nowhere;\n',
      /1\.sql:3:8: relation "nowhere" does not exist\n {2}statement: SELECT \*\n/,
    ],
    [
      '2.sql',
      'CREATE TABLE t (a int UNIQUE);\nINSERT INTO t VALUES (1);\n  INSERT INTO t VALUES (1);',
      /2\.sql:3:3: duplicate key .*\n {2}detail: Key \(a\)=\(1\) already exists\./,
    ],
    [
      '3.sql',
      'CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\nx\n\\.\n',
      /3\.sql:4:1: invalid input syntax for type integer: "x"\n {2}where: COPY t, line 2, column a: "x"/,
    ],
    ['4.sql', "SELECT 1;\nSELECT '\n", /4\.sql:2:8: the file ends inside a string that began here/],
    ['5.sql', 'SELECT 1;\n  \\i other.sql\n', /5\.sql:2:3: the psql command \\i is not supported/],
    [
      '6.sql',
      '\\connect app other_user\n',
      /6\.sql:1:1: \\connect app other_user would leave the database being built/,
    ],
    ['7.sql', '\\c nonsense\n', /7\.sql:1:1: database "nonsense" does not exist/],
    ['8.sql', "SELECT 'é😀', nope;", /8\.sql:1:14: column "nope" does not exist/],
  ])('a failure names its place: %s', async (name, text, message) => {
    await using _home = makeHome()
    await using project = await makeProject({ [`migrations/${name}`]: text })
    await expect(leaseBranch(project.dir)).rejects.toThrow(message)
  })

  test('\\connect to a database that the script makes is followed, and the URL with it', async () => {
    await using _home = makeHome()
    const script = 'DROP DATABASE IF EXISTS shop;\nCREATE DATABASE shop;\n\\c shop;\nCREATE TABLE t AS SELECT 1 AS n;\n'
    expect(
      await leaseWith(
        { 'migrations/1.sql': script, 'migrations/2.sql': 'INSERT INTO t VALUES (2)' },
        'SELECT current_database() AS d, count(*)::int AS n FROM t',
      ),
    ).toEqual([{ d: 'shop', n: 2 }])
    // And where the configuration names that very database, it is not in its own way.
    const config = `export default { database: 'shop', seed: { kind: 'sql', globs: ['migrations/*.sql'] } }`
    expect(
      await leaseWith(
        { 'pg-branch.config.mjs': config, 'migrations/1.sql': script },
        'SELECT current_database() AS d, count(*)::int AS n FROM t',
      ),
    ).toEqual([{ d: 'shop', n: 1 }])
  })

  testWithData('Northwind and Chinook as they are', async () => {
    await using _home = makeHome()
    const config = (file: string) => ({
      'pg-branch.config.mjs': `export default { seed: { kind: 'sql', globs: ['${dataDir}/${file}'] } }`,
    })
    expect(await leaseWith(config('northwind.sql'), 'SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 830 }])
    expect(
      await leaseWith(config('chinook.sql'), 'SELECT current_database() AS d, count(*)::int AS n FROM track'),
    ).toEqual([{ d: 'chinook', n: 3503 }])
  })
})

describe('command steps', () => {
  test('run in the configuration’s directory with the build’s URL; a real database is out of reach', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.ts': `import { command } from 'pg-branch'
export default { seed: command('node seed.mjs', { inputs: ['seed.mjs'], env: { EXTRA: 'x' } }) }
`,
      'seed.mjs': `import pg from 'pg'
const one = new pg.Client()
const two = new pg.Client(process.env.DATABASE_URL)
await one.connect(); await two.connect()
await one.query('CREATE TABLE t (cwd text, extra text, real text)')
await two.query('INSERT INTO t VALUES ($1, $2, $3)', [process.cwd(), process.env.EXTRA, process.env.REPLICA_URL])
await one.end(); await two.end()
`,
    })
    await using branch = await leaseBranch(project.dir, { env: { REPLICA_URL: 'postgres://prod/db' } })
    expect(await branch.query('SELECT * FROM t')).toEqual([
      { cwd: project.dir, extra: 'x', real: expect.stringContaining('.invalid') as string },
    ])
  })

  test('a failing command shows its exit code and the end of its output', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.ts': `import { command } from 'pg-branch'\nexport default { seed: command('echo going; echo "no such migration" >&2; exit 3') }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/exited with 3:\n {2}\| going\n {2}\| no such migration/)
  })

  test.each([
    [`command('node -e 1', { inputs: ['missing/**'] })`, /the inputs missing\/\*\* of `node -e 1` match no file/],
    [`sql('missing/*.sql')`, /the step `sql missing\/\*\.sql` matches no file in/],
  ])('inputs that match nothing are refused: %s', async (step, message) => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.ts': `import { command, sql } from 'pg-branch'\nexport default { seed: ${step} }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(message)
  })
})

describe('function steps', () => {
  test('what they throw is shown with the step and Postgres’s detail', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.ts': `export default { seed: [async function fillUsers({ client }) { await client.query('CREATE TABLE t (a int UNIQUE); INSERT INTO t VALUES (1), (1)') }] }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(
      /function fillUsers threw: duplicate key value .*\n {2}detail: Key \(a\)=\(1\) already exists/,
    )
  })

  test('process.exit in a seed is an error, not a hang', async () => {
    await using _home = makeHome()
    await using project = await makeProject({ 'pg-branch.config.ts': 'export default { seed: () => process.exit(0) }' })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/ended \(exit code 0\)/)
  })

  test('a seed may change the superuser’s password', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'migrations/1.sql': "ALTER ROLE postgres PASSWORD 'mine'; CREATE TABLE t AS SELECT 1 AS n",
    })
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT n FROM t')).toEqual([{ n: 1 }])
  })

  test('a seed that makes a table space, which branches would share, is refused', async () => {
    await using _home = makeHome()
    const space = join(tmpdir(), `pgb-space-${process.pid}`)
    // Made by the server, so that it belongs to the server's user.
    const seed = `COPY (SELECT 1) TO PROGRAM 'mkdir ${space}';\nCREATE TABLESPACE outside LOCATION '${space}';`
    await using project = await makeProject({ 'migrations/1.sql': seed })
    try {
      await expect(leaseBranch(project.dir)).rejects.toThrow(/the seed made a TABLESPACE outside the data directory/)
    } finally {
      await rm(space, { recursive: true, force: true })
    }
  })
})
