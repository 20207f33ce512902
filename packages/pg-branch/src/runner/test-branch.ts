import type { Client } from 'pg'
import { PgBranchError } from '../lib/errors.ts'
import { internalPrefix } from '../protocol/labels.ts'
import type { Connection } from '../client/connect.ts'
import type { ActivityAnswer, TableDiff } from '../protocol/protocol.ts'

/** A statement that was run, as its text came over the wire. */
export type LoggedStatement = ActivityAnswer['statements'][number]

/** What a test can do with its branch, beside using it. All but `url`, `variables` and `query` need `scope: 'test'`. */
export interface TestBranch {
  /** Connection URI, as in `DATABASE_URL`. */
  readonly url: string
  /** All variables that the environment set: `DATABASE_URL`, `PGHOST` …, and those of the configuration. */
  readonly variables: Readonly<Record<string, string>>
  /** Runs one statement on a connection of its own. @returns the rows. */
  query<Row extends Record<string, unknown> = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>
  /** Saves the present state under a name, in place of an earlier snapshot of that name. */
  snapshot(name: string): Promise<void>
  /** Goes back to a snapshot. Open connections stay open. @throws PgBranchError `PGB_SNAPSHOT` for an unknown name. */
  restore(name: string): Promise<void>
  /** @returns another branch with the present state, at a URL of its own. It ends at the latest with the test file. */
  fork(): Promise<ForkedBranch>
  /** @returns how many rows of each table differ from what the branch was forked from; tables without any are left out. */
  diff(): Promise<TableDiff[]>
  /** @returns the statements that were run since the test began, at most the last thousand. */
  log(): Promise<LoggedStatement[]>
}

export interface ForkedBranch extends TestBranch, AsyncDisposable {
  /** Returns it, as leaving the scope of `await using` does. */
  close(): Promise<void>
}

export interface OpenLease {
  leaseId: string
  variables: Readonly<Record<string, string>>
}

/** @param getOpen the lease that is open now. @throws, at every call, what `getOpen` throws. */
export function createTestBranch(
  getOpen: () => { connection: Connection; lease: OpenLease },
): TestBranch & { close(): Promise<void> } {
  let client: { url: string; connected: Promise<Client> } | undefined
  const getUrl = () => getOpen().lease.variables.DATABASE_URL ?? ''

  const connect = async (url: string): Promise<Client> => {
    // Only those who ask for it pay for it: most tests have a driver of their own.
    const { default: pg } = await import('pg')
    const fresh = new pg.Client({ connectionString: url, application_name: 'pg-branch test API' })
    fresh.on('error', () => (client = undefined))
    fresh.on('end', () => (client = undefined))
    await fresh.connect()
    return fresh
  }

  const disconnect = async () => {
    const last = await client?.connected.catch(() => undefined)
    client = undefined
    await last?.end().catch(() => {})
  }

  return {
    get url() {
      return getUrl()
    },
    get variables() {
      return getOpen().lease.variables
    },
    async query<Row extends Record<string, unknown>>(text: string, values?: unknown[]) {
      const url = getUrl()
      if (client?.url !== url) {
        await disconnect()
        client = { url, connected: connect(url) }
      }
      const result = await (await client.connected).query<Row>(text, values)
      // As psql does, several statements answer with the last one's rows.
      return [result].flat().at(-1)?.rows ?? []
    },
    async snapshot(name) {
      const { connection, lease } = getOpen()
      requireName(name)
      await connection.call.snapshot({ leaseId: lease.leaseId, name })
    },
    async restore(name) {
      const { connection, lease } = getOpen()
      requireName(name)
      await connection.call.reset({ leaseId: lease.leaseId, to: name })
    },
    async fork() {
      const { connection, lease } = getOpen()
      const child = await connection.call.fork({ leaseId: lease.leaseId, holder: 'a fork' })
      return createForkedBranch(connection, child)
    },
    async diff() {
      const { connection, lease } = getOpen()
      return connection.call.diff({ leaseId: lease.leaseId })
    },
    async log() {
      const { connection, lease } = getOpen()
      const { statements } = await connection.call.getActivity({ leaseId: lease.leaseId })
      return statements.filter(({ application }) => application !== 'pg-branch test API')
    },
    close: disconnect,
  }
}

export function createForkedBranch(connection: Connection, lease: OpenLease): ForkedBranch {
  let isClosed = false
  const branch = createTestBranch(() => {
    if (!isClosed) return { connection, lease }
    throw new PgBranchError('this branch was closed', {
      code: 'PGB_LEASE',
      hint: 'A fork ends with `close()`, and that of a concurrent test with its test: await all that uses it.',
    })
  })
  const close = async () => {
    isClosed = true
    await branch.close()
    await connection.call.release({ leaseId: lease.leaseId })
  }
  return Object.create(branch, {
    close: { value: close },
    [Symbol.asyncDispose]: { value: close },
  }) as ForkedBranch
}

function requireName(name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.startsWith(internalPrefix)) return
  throw new PgBranchError(`${JSON.stringify(name) ?? 'undefined'} cannot be the name of a snapshot`, {
    code: 'PGB_ARGUMENT',
    hint: `Any text but an empty one, or one that begins with \`${internalPrefix}\`.`,
  })
}
