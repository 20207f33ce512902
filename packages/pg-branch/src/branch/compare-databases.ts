import type { Client } from 'pg'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { withClient } from '../postgres/client.ts'
import { compareRows, type TableDiff } from './compare-rows.ts'
import { compareSchemas, type SchemaChange } from './compare-schemas.ts'
import { readSchema } from './describe-schema.ts'

/** How one state of a database differs from another. */
export interface DatabaseDiff {
  schema: SchemaChange[]
  tables: TableDiff[]
}

const limits = "SET lock_timeout = '2s'; SET statement_timeout = '30s'"

interface Sides {
  before: DatabaseAddress
  after: DatabaseAddress
}

/** Counts the rows that differ, table by table. */
export function compareTables(sides: Sides): Promise<TableDiff[]> {
  return withBoth(sides, (clients) => compareRows({ ...clients, samples: 0 }))
}

/** @param samples rows of each table to show. */
export function compareDatabases({ samples, ...sides }: Sides & { samples: number }): Promise<DatabaseDiff> {
  return withBoth(sides, async ({ before, after }) => {
    const [old, current] = await Promise.all([readSchema(before), readSchema(after)])
    return { schema: compareSchemas(old, current), tables: await compareRows({ before, after, samples }) }
  })
}

function withBoth<T>(
  { before, after }: Sides,
  action: (clients: { before: Client; after: Client }) => Promise<T>,
): Promise<T> {
  return withClient(before, (left) =>
    withClient(after, async (right) => {
      // A test that failed may have left a lock, and whoever would free it waits for us.
      await Promise.all([left, right].map((client) => client.query(limits)))
      return action({ before: left, after: right })
    }),
  )
}
