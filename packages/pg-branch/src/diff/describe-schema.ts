import type { Client } from 'pg'
import { describeCatalogues } from './describe-catalogues.ts'
import { schemaQueries } from './schema-queries.ts'
import { remarkQueries, sequencesQuery, serverQueries } from './server-queries.ts'

/** A database's definitions: each object, e.g. `table public.users`, with the lines that define it. */
export type Schema = Map<string, string[]>

/**
 * Reads what a database is made of, all that pg_dump and pg_dumpall write of it but the rows of its tables.
 *
 * @param options.withServer whether what all databases of the server share comes along: roles and their settings.
 */
export async function readSchema(client: Client, { withServer }: { withServer: boolean }): Promise<Schema> {
  const schema: Schema = new Map()
  const add = (rows: Array<[object: string, line: string]>) => {
    for (const [object, line] of rows) schema.set(object, [...(schema.get(object) ?? []), line])
  }
  // One answer to one state, with names that do not depend on the role's search path.
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''")
  try {
    const queries = [...schemaQueries, ...remarkQueries, ...(withServer ? serverQueries : [])]
    for (const text of queries) {
      const { rows } = await client.query<[string, string]>({ text, rowMode: 'array' })
      add(rows)
    }
    add(await describeCatalogues(client))
    add(await readPositions(client))
  } finally {
    await client.query('ROLLBACK')
  }
  return schema
}

/** So many sequences are read by one statement. */
const sequencesAtOnce = 200

/** @returns how far each sequence is. */
async function readPositions(client: Client): Promise<Array<[object: string, line: string]>> {
  const { rows: sequences } = await client.query<{ object: string; relation: string }>(sequencesQuery)
  const lines: Array<[string, string]> = []
  for (let at = 0; at < sequences.length; at += sequencesAtOnce) {
    const some = sequences.slice(at, at + sequencesAtOnce)
    const text = some
      .map(({ relation }, index) => `SELECT ${index} AS index, last_value::text, is_called FROM ${relation}`)
      .join(' UNION ALL ')
    const { rows } = await client.query<{ index: number; last_value: string; is_called: boolean }>(`${text} ORDER BY 1`)
    for (const { index, last_value, is_called } of rows) {
      lines.push([some[index]?.object ?? '', `position ${last_value}${is_called ? '' : ', not yet taken'}`])
    }
  }
  return lines
}
