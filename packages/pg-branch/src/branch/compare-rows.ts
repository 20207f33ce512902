import { escapeIdentifier, type Client } from 'pg'

/** How the rows of a table differ. Without a primary key a changed row is one removed and one added. */
export interface TableDiff {
  /** With its schema, quoted where needed. */
  table: string
  added: number
  changed: number
  removed: number
  /** Set if the table itself was made or dropped. */
  definition?: 'created' | 'dropped' | undefined
  /** Some of the rows, if they were asked for. */
  samples?: RowSample[] | undefined
}

/** One row that differs, as JSON. */
export interface RowSample {
  before?: string | undefined
  after?: string | undefined
}

interface Table {
  /** As SQL. */
  relation: string
  /** SQL of what identifies a row of `t`. */
  key: string
  rows: string
  hash: string
}

const rowHash = 'hashtextextended(t::text, 0)'

/**
 * Counts the rows of each ordinary table that differ between two databases with a common past; tables
 * that are equal are left out. Equal means the same text and the same number of rows: every row is
 * read, but only rows of tables that differ leave the server, as hashes.
 */
export async function compareRows({
  before,
  after,
  samples,
}: {
  before: Client
  after: Client
  /** Rows of each table to bring along. */
  samples: number
}): Promise<TableDiff[]> {
  const [old, current] = await Promise.all([readTables(before), readTables(after)])
  const names = [...new Set([...old.keys(), ...current.keys()])].toSorted()
  const diffs: TableDiff[] = []
  for (const name of names) {
    const [was, is] = [old.get(name), current.get(name)]
    if (was !== undefined && is !== undefined && was.rows === is.rows && was.hash === is.hash) continue
    const differences = findDifferences(await readRows(before, was), await readRows(after, is))
    const diff: TableDiff = { table: name, ...countDifferences(differences) }
    if (was === undefined) diff.definition = 'created'
    else if (is === undefined) diff.definition = 'dropped'
    if (samples > 0) {
      const keys = differences.slice(0, samples).map(({ key }) => key)
      diff.samples = await readSamples(keys, {
        before: { client: before, table: was },
        after: { client: after, table: is },
      })
    }
    diffs.push(diff)
  }
  return diffs
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

interface Difference {
  key: string
  added: number
  changed: number
  removed: number
}

function findDifferences(before: Map<string, string[]>, after: Map<string, string[]>): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [was, is] = [before.get(key) ?? [], after.get(key) ?? []]
    const added = Math.max(0, is.length - was.length)
    const removed = Math.max(0, was.length - is.length)
    const changed = was.length > 0 && is.length > 0 && was[0] !== is[0] ? 1 : 0
    return added + removed + changed === 0 ? [] : [{ key, added, changed, removed }]
  })
}

function countDifferences(differences: Difference[]): Pick<TableDiff, 'added' | 'changed' | 'removed'> {
  const counts = { added: 0, changed: 0, removed: 0 }
  for (const { added, changed, removed } of differences) {
    counts.added += added
    counts.changed += changed
    counts.removed += removed
  }
  return counts
}

interface Side {
  client: Client
  table: Table | undefined
}

async function readSamples(keys: string[], sides: { before: Side; after: Side }): Promise<RowSample[]> {
  const read = async ({ client, table }: Side) => {
    if (table === undefined) return new Map<string, string>()
    const { rows } = await client.query<{ key: string; row: string }>(
      `SELECT ${table.key} AS key, row_to_json(t)::text AS row FROM ONLY ${table.relation} t WHERE ${table.key} = ANY ($1)`,
      [keys],
    )
    return new Map(rows.map(({ key, row }) => [key, row]))
  }
  const [before, after] = [await read(sides.before), await read(sides.after)]
  return keys.map((key) => ({ before: before.get(key), after: after.get(key) }))
}
