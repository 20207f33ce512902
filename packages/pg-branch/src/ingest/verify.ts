import { escapeIdentifier, escapeLiteral, type Client } from 'pg'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { withOwnClient } from '../postgres/client.ts'

/** Rows of every table, by `database.schema.table`. */
export type RowCounts = Record<string, number>

/** Tables counted in one statement. */
const tablesAtOnce = 100

/** @param databases those of the server that `address` leads to. */
export async function countRows(address: DatabaseAddress, databases: string[]): Promise<RowCounts> {
  const counts: RowCounts = {}
  for (const database of databases) {
    await withOwnClient({ ...address, database }, async (client) => {
      Object.assign(counts, await countTables(client, database))
    })
  }
  return counts
}

async function countTables(client: Client, database: string): Promise<RowCounts> {
  const counts: RowCounts = {}
  const tables = await listTables(client)
  for (let at = 0; at < tables.length; at += tablesAtOnce) {
    const parts = tables.slice(at, at + tablesAtOnce).map(({ schema, name }) => {
      const table = `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`
      return `SELECT ${escapeLiteral(`${database}.${schema}.${name}`)} AS name, count(*)::float8 AS rows FROM ${table}`
    })
    const { rows } = await client.query<{ name: string; rows: number }>(parts.join(' UNION ALL '))
    for (const row of rows) counts[row.name] = row.rows
  }
  return counts
}

/**
 * Checks a normally started cluster against what was counted before it was shut down, and the
 * structure of every B-tree where the extension amcheck is there. Leaves no trace.
 *
 * @param expected undefined: nothing was counted.
 * @throws PgBranchError `PGB_INGEST` that names the first table or index that is not right.
 */
export async function verifyCluster(
  address: DatabaseAddress,
  { databases, expected }: { databases: string[]; expected: RowCounts | undefined },
): Promise<void> {
  const actual: RowCounts = {}
  for (const database of databases) {
    await withOwnClient({ ...address, database }, async (client) => {
      if (expected !== undefined) Object.assign(actual, await countTables(client, database))
      await checkIndexes(client)
    })
  }
  for (const name of new Set([...Object.keys(expected ?? {}), ...Object.keys(actual)])) {
    if (actual[name] === expected?.[name]) continue
    throw createIngestError(
      `${name} had ${expected?.[name] ?? 'no'} rows, and ${actual[name] ?? 'none'} after the restart`,
    )
  }
}

async function checkIndexes(client: Client): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_available_extensions WHERE name = 'amcheck'")
  if (rowCount === 0) return
  // All is rolled back. As a replica, so that no event trigger of the user's sees it.
  await client.query('BEGIN')
  try {
    await client.query('SET LOCAL session_replication_role = replica')
    await client.query('CREATE SCHEMA pgb_verify')
    await client.query('CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pgb_verify')
    const { rows } = await client.query<{ schema: string }>(
      "SELECT extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname = 'amcheck'",
    )
    await client.query(
      `SELECT ${rows[0]?.schema}.bt_index_check(i.indexrelid)
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
       WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid`,
    )
  } catch (error) {
    throw createIngestError(describeError(error), error)
  } finally {
    await client.query('ROLLBACK').catch(() => {})
  }
}

async function listTables(client: Client): Promise<Array<{ schema: string; name: string }>> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_toast%'
     ORDER BY 1, 2`,
  )
  return rows
}

function createIngestError(what: string, cause?: unknown): PgBranchError {
  return new PgBranchError(`the template did not pass its check after fast ingest: ${what}`, {
    code: 'PGB_INGEST',
    hint: 'Nothing was sealed. Run again; if it happens again, please report it. `fastIngest: false` does without.',
    cause,
  })
}
