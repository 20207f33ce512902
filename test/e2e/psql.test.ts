import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { makeServer } from '../support/server.ts'

// `sql()` runs a script as psql does: the same files, by both, leave the same rows.

const raw = String.raw
const bytes = (text: string, encoding: BufferEncoding = 'latin1') => Buffer.from(text, encoding)

const scripts: Record<string, string | Buffer> = {
  'a variable more than once in a line': raw`\set v x
CREATE TABLE a01 (b text, c text); INSERT INTO a01 VALUES (:'v', :'v'); INSERT INTO a01 VALUES (:'v', :'v');`,
  'variables in variables, as they were': raw`CREATE TABLE a02 (b text);
\set name Ada
\set quoted '\'' :name '\''
INSERT INTO a02 VALUES (:quoted);
\set one 1
\set two :one
\set one 2
INSERT INTO a02 VALUES (:'two'), (:'one');`,
  'a name in double quotes stays one': raw`\set col "My Col"
CREATE TABLE a03 ("My Col" text); INSERT INTO a03 (:col) VALUES ('x');`,
  'escapes in single quotes': raw`CREATE TABLE a04 (b text);
\set value 'a\tb\'c\x41\101''d'
INSERT INTO a04 VALUES (:'value');`,
  'two backslashes part a command from what follows': raw`CREATE TABLE a05 (b text);
\echo loading \\ INSERT INTO a05 VALUES ('after');
\set v 1 \\ INSERT INTO a05 VALUES (:'v');`,
  'what stands behind COPY on its line': raw`CREATE TABLE a06 (b text); CREATE TABLE a06_after (c text);
COPY a06 FROM STDIN; INSERT INTO a06_after SELECT count(*)::text FROM a06;
one
two
\.
INSERT INTO a06_after VALUES ('last');`,
  'lines that end with a carriage return alone':
    "-- old Mac\rCREATE TABLE a07 (b text);\rINSERT INTO a07 VALUES ('1'); -- one\rINSERT INTO a07 VALUES ('2');\r",
  CRLF: "-- Windows\r\nCREATE TABLE a08 (b text);\r\nINSERT INTO a08 VALUES ('a\r\nb');\r\n",
  'an encoding ends with \\connect': raw`SET client_encoding = 'LATIN1';
\connect :DBNAME
CREATE TABLE a09 (b text); INSERT INTO a09 VALUES ('é');`,
  'so do settings, transactions and temporary tables': raw`CREATE SCHEMA a10s; SET search_path = a10s; CREATE TEMP TABLE a10 (b text);
CREATE TABLE public.a10_kept (b text);
BEGIN; INSERT INTO public.a10_kept VALUES ('rolled back');
\c :DBNAME
CREATE TABLE a10 (b text); INSERT INTO a10 VALUES ('in public');`,
  'modes that are as usual': raw`\set AUTOCOMMIT on
\set ON_ERROR_ROLLBACK interactive
\set ON_ERROR_STOP 1
CREATE TABLE a11 (b text);`,
  'half-width katakana and others in SJIS': Buffer.concat([
    bytes("CREATE TABLE a12 (b text, c int);\nSET client_encoding = 'SJIS';\nINSERT INTO a12 VALUES ('"),
    Buffer.from([0xb1]),
    bytes("', 1), ('"),
    Buffer.from([0x83, 0x5c]),
    bytes("', 2), ('"),
    Buffer.from([0xb1, 0xb2, 0x83, 0x5c, 0xdf]),
    bytes("', 3);\n"),
  ]),
  'four bytes in GB18030': Buffer.concat([
    bytes("CREATE TABLE a13 (b text, c int);\nSET client_encoding = 'GB18030';\nINSERT INTO a13 VALUES ('"),
    Buffer.from([0x81, 0x30, 0x81, 0x30]),
    bytes("', 1), ('"),
    Buffer.from([0x81, 0x5c]),
    bytes("', 2);\n"),
  ]),
  'comments in comments, and statements behind them': raw`/* a /* b */ DROP TABLE nothing; */ CREATE TABLE a14 (b text);
/* x */ /* y; */ INSERT INTO a14 VALUES ('1') /* z; */;`,
  'a body of statements': raw`CREATE TABLE a15 (b text);
CREATE FUNCTION a15f() RETURNS int BEGIN ATOMIC INSERT INTO a15 VALUES ('x;'); SELECT 1; END;
SELECT a15f();`,
  // Of format csv `\\.` means other things to psql 15 and to a server of 18.
  'rows of COPY with semicolons and backslashes': raw`CREATE TABLE a16 (b text, c text);
COPY a16 (b) FROM /* from here */ stdin;
tab\tnewline\n;
\.
`,
}

test('the same scripts leave the same rows', async () => {
  await ensureDebianPackages(['/usr/bin/psql'], ['postgresql-client'])
  await using server = await makeServer()
  await using _home = makeHome()
  await using project = await makeProject()
  const names = Object.keys(scripts).map((_, index) => `${String(index + 1).padStart(2, '0')}.sql`)
  const contents = Object.values(scripts)
  for (const [index, name] of names.entries()) writeFileSync(join(project.dir, name), contents[index] ?? '')
  await project.write({ 'pg-branch.config.mjs': "export default { seed: [{ kind: 'sql', globs: ['*.sql'] }] }" })
  for (const [index, name] of names.entries()) {
    const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', join(project.dir, name), server.url]
    const { exitCode, all } = await execa('psql', args, { reject: false, all: true })
    expect(exitCode, `${Object.keys(scripts)[index]}: ${all}`).toBe(0)
  }
  await using branch = await leaseBranch(project.dir)
  const tables =
    "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)' ORDER BY 1"
  const expected = await server.query(tables)
  expect(await branch.query(tables)).toEqual(expected)
  for (const { name } of expected) {
    const rows = `SELECT t::text AS row FROM ${String(name)} t ORDER BY 1`
    expect({ name, rows: await branch.query(rows) }).toEqual({ name, rows: await server.query(rows) })
  }
})

test.each([
  [
    'a program in backquotes',
    raw`\set who ` + '`whoami`',
    /1\.sql:1:1: the psql command \\set with a program in backquotes is not supported/,
  ],
  [
    'an error in a transaction is none that a dump forgives',
    '-- PostgreSQL database dump\nBEGIN; CREATE TABLE t (a int);\nDROP TABLE nothing;\nCOMMIT;\n-- PostgreSQL database dump complete\n',
    /1\.sql:3:1: table "nothing" does not exist/,
  ],
])('%s is refused with its place', async (_title, text, message) => {
  await using _home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': text })
  await expect(leaseBranch(project.dir)).rejects.toThrow(message)
})

test.each([
  ['dump("cut.sql")', /cut\.sql was cut off/],
  ['dump("empty.sql")', /empty\.sql is empty/],
])('%s of a server: the end of one of its databases is not its own', async (seed, message) => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `import { dump } from 'pg-branch'\nexport default { seed: ${seed} }`,
    'empty.sql': '',
    'cut.sql': `-- PostgreSQL database cluster dump
-- PostgreSQL database dump
CREATE TABLE one (a int);
-- PostgreSQL database dump complete
-- PostgreSQL database dump
CREATE TABLE two (a int);
`,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(message)
})
