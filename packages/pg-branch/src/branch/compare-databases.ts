import { escapeIdentifier, type Client } from 'pg'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { withClient } from '../postgres/client.ts'

/** How the rows of a table differ. Without a primary key a changed row is one removed and one added. */
export interface TableDiff {
  /** With its schema, quoted where needed. */
  table: string
  added: number
  changed: number
  removed: number
  /** Set if the table itself was made or dropped. */
  definition?: 'created' | 'dropped' | undefined
}

interface Table {
  /** As SQL. */
  relation: string
  /** SQL of what identifies a row of `t`. */
  key: string
  rows: string
  hash: string
}

const limits = "SET lock_timeout = '2s'; SET statement_timeout = '30s'"

const rowHash = 'hashtextextended(t::text, 0)'

/**
 * Counts the rows of each ordinary table that differ between two databases with a common past; tables
 * that are equal are left out. Equal means the same text and the same number of rows: every row is
 * read, but only rows of tables that differ leave the server, as hashes.
 */
export async function compareDatabases({
  before,
  after,
}: {
  before: DatabaseAddress
  after: DatabaseAddress
}): Promise<TableDiff[]> {
  return withClient(before, (left) =>
    withClient(after, async (right) => {
      // A test that failed may have left a lock, and whoever would free it waits for us.
      await Promise.all([left, right].map((client) => client.query(limits)))
      const [old, current] = await Promise.all([readTables(left), readTables(right)])
      const names = [...new Set([...old.keys(), ...current.keys()])].toSorted()
      const diffs: TableDiff[] = []
      for (const name of names) {
        const [was, is] = [old.get(name), current.get(name)]
        if (was !== undefined && is !== undefined && was.rows === is.rows && was.hash === is.hash) continue
        const diff = countDifferences(name, await readRows(left, was), await readRows(right, is))
        if (was === undefined) diffs.push({ ...diff, definition: 'created' })
        else if (is === undefined) diffs.push({ ...diff, definition: 'dropped' })
        else diffs.push(diff)
      }
      return diffs
    }),
  )
}

async function readTables(client: Client): Promise<Map<string, Table>> {
  const { rows } = await client.query<{ schema: string; relation: string; key: string[] | null }>(`
    SELECT n.nspname AS schema, c.relname AS relation, (
      SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
      WHERE i.indrelid = c.oid AND i.indisprimary
    ) AS key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`)
  const tables = new Map<string, Table>()
  for (const { schema, relation, key } of rows) {
    const source = `${escapeIdentifier(schema)}.${escapeIdentifier(relation)}`
    const columns = key?.map((column) => `t.${escapeIdentifier(column)}`)
    const sums = await client.query<{ rows: string; hash: string }>(
      `SELECT count(*)::text AS rows, coalesce(sum(${rowHash}), 0)::text AS hash FROM ONLY ${source} t`,
    )
    tables.set(`${quote(schema)}.${quote(relation)}`, {
      relation: source,
      key: columns === undefined ? `${rowHash}::text` : `json_build_array(${columns.join(', ')})::text`,
      ...(sums.rows[0] ?? { rows: '0', hash: '0' }),
    })
  }
  return tables
}

/** Only where it must be, for people. */
function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : escapeIdentifier(name)
}

/** @returns the hashes of the rows of each key. */
async function readRows(client: Client, table: Table | undefined): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (table === undefined) return found
  const { rows } = await client.query<{ key: string; hash: string }>(
    `SELECT ${table.key} AS key, ${rowHash}::text AS hash FROM ONLY ${table.relation} t`,
  )
  for (const { key, hash } of rows) found.set(key, [...(found.get(key) ?? []), hash])
  return found
}

function countDifferences(table: string, before: Map<string, string[]>, after: Map<string, string[]>): TableDiff {
  const diff: TableDiff = { table, added: 0, changed: 0, removed: 0 }
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key) ?? [], after.get(key) ?? []]
    diff.added += Math.max(0, is.length - was.length)
    diff.removed += Math.max(0, was.length - is.length)
    if (was.length > 0 && is.length > 0 && was[0] !== is[0]) diff.changed += 1
  }
  return diff
}
