import { escapeIdentifier, type Client } from 'pg'

/** An ordinary table, or a materialised view, with what its rows come to. */
export interface Table {
  /** As SQL. */
  relation: string
  /** SQL of what identifies a row of `t`. */
  key: string
  rows: string
  hash: string
}

// `t.*` and not `t`, which would be the column of that name where there is one.
const rowHash = 'hashtextextended((t.*)::text, 0)'
/** Rows fall into so many buckets by their key, so that only those need to be read that differ. */
const buckets = 1024
/** So many rows of a table are held at the same time. */
const maxRowsHeld = 500_000

const createBucket = (key: string) => `(hashtextextended(${key}, 1) & ${buckets - 1})::int`

/** @returns each ordinary table and materialised view that has rows, by its name with schema, quoted where needed. */
export async function readTables(client: Client): Promise<Map<string, Table>> {
  const { rows } = await client.query<{ schema: string; relation: string; key: string[] | null }>(`
    SELECT n.nspname AS schema, c.relname AS relation, (
      SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
      WHERE i.indrelid = c.oid AND i.indisprimary
    ) AS key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`)
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

export interface Side {
  client: Client
  table: Table | undefined
}

/** @returns the buckets in which the sides differ, in groups of which each is small enough to be read at once. */
export async function findBuckets(before: Side, after: Side): Promise<number[][]> {
  const [was, is] = [await readBuckets(before), await readBuckets(after)]
  const groups: number[][] = []
  let held = Number.POSITIVE_INFINITY
  for (const bucket of new Set([...was.keys(), ...is.keys()])) {
    const [old, current] = [was.get(bucket), is.get(bucket)]
    if (old !== undefined && current !== undefined && old.rows === current.rows && old.hash === current.hash) continue
    const rows = Math.max(Number(old?.rows ?? 0), Number(current?.rows ?? 0))
    if (held + rows > maxRowsHeld) {
      groups.push([])
      held = 0
    }
    groups.at(-1)?.push(bucket)
    held += rows
  }
  return groups
}

async function readBuckets({ client, table }: Side): Promise<Map<number, { rows: string; hash: string }>> {
  if (table === undefined) return new Map()
  const { rows } = await client.query<{ bucket: number; rows: string; hash: string }>(
    `SELECT ${createBucket(table.key)} AS bucket, count(*)::text AS rows, sum(${rowHash})::text AS hash
     FROM ONLY ${table.relation} t GROUP BY 1`,
  )
  return new Map(rows.map(({ bucket, ...sums }) => [bucket, sums]))
}

/** @returns the hashes of the rows of each key in some buckets. */
export async function readHashes({ client, table }: Side, group: number[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (table === undefined) return found
  const { rows } = await client.query<{ key: string; hash: string }>(
    `SELECT ${table.key} AS key, ${rowHash}::text AS hash FROM ONLY ${table.relation} t
     WHERE ${createBucket(table.key)} = ANY ($1)`,
    [group],
  )
  for (const { key, hash } of rows) {
    const hashes = found.get(key)
    if (hashes === undefined) found.set(key, [hash])
    else hashes.push(hash)
  }
  return found
}

/** @returns rows as JSON, by their keys. */
export async function readAsJson({ client, table }: Side, keys: string[]): Promise<Map<string, string>> {
  if (table === undefined || keys.length === 0) return new Map()
  const { rows } = await client.query<{ key: string; row: string }>(
    `SELECT ${table.key} AS key, row_to_json(t.*)::text AS row FROM ONLY ${table.relation} t WHERE ${table.key} = ANY ($1)`,
    [keys],
  )
  return new Map(rows.map(({ key, row }) => [key, row]))
}
