import type { Client } from 'pg'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError, describeError, getErrorCode } from '../lib/errors.ts'
import { withOwnClient } from '../postgres/client.ts'
import { compareRows, type TableDiff } from './compare-rows.ts'
import { compareSchemas, type SchemaChange } from './compare-schemas.ts'
import { readSchema } from './describe-schema.ts'

/** How one state differs from another. */
export interface DatabaseDiff {
  schema: Array<SchemaChange & InDatabase>
  tables: Array<TableDiff & InDatabase>
}

interface InDatabase {
  /** Where a branch has several. */
  database?: string
}

/** What a row's text depends on besides the row. */
const format =
  "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1"
/** A test that failed may have left a lock, and whoever would free it waits for us. */
const lockLimit = "SET lock_timeout = '2s'"

interface Sides {
  before: DatabaseAddress
  after: DatabaseAddress
}

/** Counts the rows that differ, table by table. */
export function compareTables(sides: Sides): Promise<TableDiff[]> {
  const settings = `${lockLimit}; SET statement_timeout = '30s'`
  return withBoth({ ...sides, settings }, (clients) => compareRows({ ...clients, samples: 0 }))
}

/**
 * @param options.databases of each side; the one of its address if there are not several.
 * @param options.samples rows of each table to show.
 * @throws PgBranchError `PGB_DIFF` if one of them is locked, or goes away meanwhile.
 */
export async function compareDatabases({
  databases,
  samples,
  before,
  after,
}: Sides & { databases: string[]; samples: number }): Promise<DatabaseDiff> {
  const compare = (sides: Sides, { withServer }: { withServer: boolean }) =>
    withBoth({ ...sides, settings: lockLimit }, async (clients) => {
      const read = (client: Client) => readSchema(client, { withServer })
      const [old, current] = await Promise.all([read(clients.before), read(clients.after)])
      return { schema: compareSchemas(old, current), tables: await compareRows({ ...clients, samples }) }
    })
  if (databases.length < 2) return compare({ before, after }, { withServer: true })
  const whole: DatabaseDiff = { schema: [], tables: [] }
  for (const [index, database] of databases.entries()) {
    const sides = { before: { ...before, database }, after: { ...after, database } }
    const { schema, tables } = await compare(sides, { withServer: index === 0 })
    whole.schema.push(...schema.map((change) => Object.assign(change, { database })))
    whole.tables.push(...tables.map((table) => Object.assign(table, { database })))
  }
  return whole
}

async function withBoth<T>(
  { before, after, settings }: Sides & { settings: string },
  action: (clients: { before: Client; after: Client }) => Promise<T>,
): Promise<T> {
  try {
    return await withOwnClient(before, (left) =>
      withOwnClient(after, async (right) => {
        await Promise.all([left, right].map((client) => client.query(`${settings}; ${format}`)))
        return action({ before: left, after: right })
      }),
    )
  } catch (error) {
    if (error instanceof PgBranchError) throw error
    throw new PgBranchError(`the database ${before.database} could not be compared: ${describeError(error)}`, {
      code: 'PGB_DIFF',
      hint:
        getErrorCode(error) === '55P03'
          ? 'Somebody holds a lock there for more than two seconds: end that transaction, or compare with a snapshot.'
          : 'If the branch was restored or removed meanwhile, try again; a snapshot stays as it is.',
      cause: error,
    })
  }
}
