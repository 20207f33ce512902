import type pg from 'pg'

/**
 * All that a test could have changed, as text: rows, sequences, large objects, definitions, privileges,
 * roles, settings of the server, of roles and databases. Equal texts mean equal branches, down to the
 * statistics and physical order that no query depends on.
 */
export async function readFingerprint(client: pg.Client): Promise<string> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'S', 'm') AND n.nspname NOT IN ('information_schema') AND n.nspname !~ '^pg_' ORDER BY 1`,
  )
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS what, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS value FROM (SELECT * FROM ${name}) t`,
  )
  const catalogues = {
    relations: `SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.relacl::text, c.reloptions::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND n.nspname !~ '^pg_toast'`,
    columns: `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attisdropped FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.oid >= 16384 AND c.relname !~ '^pg_toast'`,
    functions: `SELECT proname, prosrc FROM pg_proc WHERE oid >= 16384`,
    roles: `SELECT rolname, rolsuper, rolcanlogin, rolconnlimit, rolvaliduntil FROM pg_roles`,
    settings: `SELECT d.setdatabase, r.rolname, d.setconfig::text FROM pg_db_role_setting d LEFT JOIN pg_roles r ON r.oid = d.setrole`,
    files: `SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'`,
    databases: `SELECT datname, datconnlimit FROM pg_database`,
    objects: `SELECT loid, pageno, md5(data) FROM pg_largeobject`,
    comments: `SELECT description FROM pg_description WHERE objoid >= 16384`,
    extensions: `SELECT extname FROM pg_extension`,
  }
  for (const [name, query] of Object.entries(catalogues))
    parts.push(`SELECT '${name}', md5(coalesce(string_agg(q::text, '|' ORDER BY q::text), '')) FROM (${query}) q`)
  const { rows } = await client.query<{ what: string; value: string }>(parts.join('\nUNION ALL\n'))
  return rows.map(({ what, value }) => `${what} ${value}`).join('\n')
}
