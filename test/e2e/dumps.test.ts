import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBuilds, leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'
import { dataDir, testWithData } from '../support/shared-data.ts'

const programs = '/usr/lib/postgresql/15/bin'
const config = (step: string) =>
  `import { defineConfig, dump, sql } from 'pg-branch'\nexport default defineConfig({ postgres: { provider: 'system' }, seed: ${step} })\n`

const source = `CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO authors (name) SELECT 'author ' || n FROM generate_series(1, 1000) AS n;
CREATE TABLE notes (id int PRIMARY KEY, author_id int REFERENCES authors, body text);
INSERT INTO notes SELECT n, n % 1000 + 1, repeat(E'a;\\\\b\\t\\'', n % 20) FROM generate_series(1, 5000) AS n;
CREATE INDEX notes_body ON notes (body);
CREATE VIEW long_notes AS SELECT * FROM notes WHERE length(body) > 50;
CREATE ROLE someone_else;
GRANT SELECT ON notes TO someone_else;
ALTER TABLE authors OWNER TO someone_else;`

const oracle = `SELECT (SELECT md5(string_agg(n::text, '' ORDER BY id)) FROM notes n) AS notes, (SELECT count(*)::int FROM authors) AS authors,
  (SELECT count(*)::int FROM long_notes) AS long_notes, (SELECT last_value::int FROM authors_id_seq) AS sequence,
  (SELECT count(*)::int FROM pg_index WHERE indrelid = 'notes'::regclass) AS indexes`

let dir: string
let expected: unknown

/** Dumps in every format, made by Debian's own pg_dump of a branch. */
beforeAll(async () => {
  await ensureDebianPackages([`${programs}/pg_dump`, `${programs}/initdb`, '/usr/bin/zstd'], ['postgresql-15', 'zstd'])
  dir = await mkdtemp(join(tmpdir(), 'pgb-dumps-'))
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.mjs': `export default { postgres: { provider: 'system' }, seed: { kind: 'sql', globs: ['seed.sql'] } }`,
    'seed.sql': source,
  })
  await using branch = await leaseBranch(project.dir)
  ;[expected] = await branch.query(oracle)
  const make = (...args: string[]) => execa(`${programs}/pg_dump`, args, { env: branch.variables })
  await make('--file', join(dir, 'plain.sql'))
  await make('--format=custom', '--file', join(dir, 'custom.dump'))
  await make('--format=tar', '--file', join(dir, 'archive.tar'))
  await make('--format=directory', '--jobs=2', '--file', join(dir, 'folder'))
  await execa('gzip', ['--keep', join(dir, 'plain.sql')])
  await execa('zstd', ['--quiet', join(dir, 'plain.sql')])
})

afterAll(() => rm(dir, { recursive: true, force: true }))

describe('dump', () => {
  test.each([
    ['plain.sql', '{ jobs: 1 }'],
    ['plain.sql.gz', '{}'],
    ['plain.sql.zst', '{}'],
    ['custom.dump', '{ jobs: 3 }'],
    ['archive.tar', '{}'],
    ['folder', '{}'],
  ])('%s', async (name, options) => {
    await using _home = makeHome()
    await using project = await makeProject({ 'pg-branch.config.mjs': config(`dump('${name}', ${options})`) })
    await cp(join(dir, name), join(project.dir, name), { recursive: true })
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query(oracle)).toEqual([expected])
    // The role is not in the dump, and nothing wanted it.
    expect(await branch.query("SELECT count(*)::int AS n FROM pg_roles WHERE rolname = 'someone_else'")).toEqual([
      { n: 0 },
    ])
  })

  test('belongs to the role that restores, also where the owner of the dump is here', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `import { dump } from 'pg-branch'\nexport default { user: { name: 'app' }, seed: dump('owned.sql') }`,
      'owned.sql': `CREATE TABLE t (n int); ALTER TABLE t OWNER TO postgres; GRANT SELECT ON t TO postgres;`,
    })
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'")).toEqual([
      { tableowner: 'app' },
    ])
  })

  test('from a URL: fetched again only if it has changed, kept when the server is away', async () => {
    await using _home = makeHome()
    const requests: string[] = []
    let text = 'CREATE TABLE t AS SELECT 1 AS version;'
    const server = createServer((request, response) => {
      const etag = `"${text.length}"`
      const isKnown = request.headers['if-none-match'] === etag
      requests.push(isKnown ? '304' : '200')
      response.writeHead(isKnown ? 304 : 200, { etag }).end(isKnown ? undefined : text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/backups/latest.sql?token=secret`
    await using project = await makeProject({ 'pg-branch.config.mjs': config(`dump('${url}')`) })
    const lease = async (comment: string) => {
      await writeFile(join(project.dir, 'pg-branch.config.mjs'), `${config(`dump('${url}')`)}// ${comment}\n`)
      return leaseBranch(project.dir)
    }
    {
      await using branch = await lease('first')
      expect(await branch.query('SELECT version FROM t')).toEqual([{ version: 1 }])
      expect(JSON.stringify(branch.progress)).not.toContain('secret')
    }
    {
      await using branch = await lease('second')
      expect(findBuilds(branch.progress)).toEqual([])
    }
    text = 'CREATE TABLE t AS SELECT 2 AS version, 1 AS more;'
    {
      await using branch = await lease('third')
      expect(await branch.query('SELECT version FROM t')).toEqual([{ version: 2 }])
    }
    expect(requests).toEqual(['200', '304', '200'])
    await new Promise((resolve) => server.close(resolve))
    await using branch = await lease('fourth')
    expect(branch.notices.join()).toMatch(/latest\.sql could not be fetched .*: what was fetched earlier is used/)
  })

  test.each([
    ['a file that is not there', `dump('missing.dump')`, /names a file that is not there: .*missing\.dump/],
    ['a truncated archive', `dump('cut.dump')`, /pg_restore failed on cut\.dump:\n {2}\| pg_restore: error/],
    ['a truncated gzip', `dump('cut.gz')`, /cut\.gz cannot be read: unexpected end of file/],
    ['a folder that is no dump', `dump('node_modules')`, /is no dump: it has no toc\.dat/],
    [
      'a text that was cut off',
      `dump('cut.sql')`,
      /cut\.sql was cut off: the comment that pg_dump ends with is missing/,
    ],
    [
      'an archive taken for SQL',
      `sql('cut.dump')`,
      /cut\.dump is no SQL text but an archive of pg_dump\n.*dump\('cut\.dump'\)/,
    ],
    ['a statement that fails', `dump('bad.sql')`, /bad\.sql:2:15: relation "nowhere" does not exist/],
  ])('%s is refused with its place', async (_title, step, message) => {
    await using _home = makeHome()
    await using project = await makeProject({ 'pg-branch.config.mjs': config(step) })
    await writeFile(join(project.dir, 'cut.dump'), (await readFile(join(dir, 'custom.dump'))).subarray(0, 3000))
    await writeFile(join(project.dir, 'cut.gz'), readFileSync(join(dir, 'plain.sql.gz')).subarray(0, 3000))
    const plain = await readFile(join(dir, 'plain.sql'), 'utf8')
    await writeFile(join(project.dir, 'cut.sql'), plain.slice(0, plain.indexOf('CREATE VIEW')))
    await writeFile(join(project.dir, 'bad.sql'), 'SET transaction_timeout = 0;\nSELECT * FROM nowhere;\n')
    await expect(leaseBranch(project.dir)).rejects.toThrow(message)
  })

  testWithData.each([
    ['Chinook', ['chinook.sql']],
    ['Northwind', ['northwind.sql']],
    ['Pagila', ['pagila-schema.sql', 'pagila-data.sql']],
  ])('%s of shared/data in one line', async (_title, names) => {
    await using _home = makeHome()
    const files = names.map((name) => join(dataDir, name))
    const steps = files.map((file) => `dump('${file}')`).join(', ')
    await using project = await makeProject({
      'pg-branch.config.mjs': `import { dump } from 'pg-branch'\nexport default { fastIngest: true, seed: [${steps}] }`,
    })
    await using branch = await leaseBranch(project.dir)
    const [row] = await branch.query(
      "SELECT count(*)::int AS tables FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
    )
    expect(row?.tables).toBeGreaterThan(9)
  })
})
