import type { Client } from 'pg'
import { findBuckets, readAsJson, readHashes, readTables, type Side } from './read-rows.ts'

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

/**
 * Counts the rows of each ordinary table that differ between two databases with a common past; tables
 * that are equal are left out. Equal means the same text and the same number of rows: every row is
 * read, but only rows of buckets that differ leave the server, as hashes, some hundred thousand at a time.
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
    const sides = { before: { client: before, table: was }, after: { client: after, table: is } }
    const diff: TableDiff = { table: name, ...(await compareTable(sides, samples)) }
    if (was === undefined) diff.definition = 'created'
    else if (is === undefined) diff.definition = 'dropped'
    diffs.push(diff)
  }
  return diffs
}

type Counts = Pick<TableDiff, 'added' | 'changed' | 'removed' | 'samples'>

async function compareTable({ before, after }: { before: Side; after: Side }, samples: number): Promise<Counts> {
  const counts = { added: 0, changed: 0, removed: 0 }
  const keys: string[] = []
  for (const group of await findBuckets(before, after)) {
    const [was, is] = [await readHashes(before, group), await readHashes(after, group)]
    for (const key of new Set([...was.keys(), ...is.keys()])) {
      const difference = compareKey(was.get(key) ?? [], is.get(key) ?? [])
      if (difference === undefined) continue
      counts.added += difference.added
      counts.changed += difference.changed
      counts.removed += difference.removed
      if (keys.length < samples) keys.push(key)
    }
  }
  if (samples === 0) return counts
  const [old, current] = [await readAsJson(before, keys), await readAsJson(after, keys)]
  return { ...counts, samples: keys.map((key) => ({ before: old.get(key), after: current.get(key) })) }
}

/** @param was hashes of the rows of one key: more than one only without a primary key. */
function compareKey(was: string[], is: string[]): Omit<Counts, 'samples'> | undefined {
  const added = Math.max(0, is.length - was.length)
  const removed = Math.max(0, was.length - is.length)
  const changed = was.length > 0 && is.length > 0 && was[0] !== is[0] ? 1 : 0
  return added + removed + changed === 0 ? undefined : { added, changed, removed }
}
