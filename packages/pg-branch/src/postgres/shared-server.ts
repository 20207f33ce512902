import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { formatUrl, parseUrl, type DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError, describeError, getErrorCode } from '../lib/errors.ts'
import { connect } from './client.ts'

/** A server of the user's, which holds other databases too. */
export interface SharedServer {
  /** The administrator and the database of the URL, which is only looked at. */
  readonly address: DatabaseAddress
  /** Host, port and user, for people. */
  readonly label: string
  /** Major version. */
  readonly version: number
  readonly fullVersion: string
  /** Equal for servers whose templates are the same. */
  readonly buildId: string
  /** Connections that were free, beside those kept for superusers and a few of our own. */
  readonly freeConnections: number
  /** A few connections to the database of the URL, for statements about databases. */
  readonly sessions: pg.Pool
}

const oldestVersion = 15
/** Ours: locks, and up to four at work. */
const ownConnections = 6

/**
 * Connects to the server of `url` and checks at once that everything needed is allowed.
 *
 * @throws PgBranchError `PGB_SERVER` that names the server and what is missing.
 */
export async function openSharedServer(url: string): Promise<SharedServer> {
  const address = parseUrl(url)
  if (address === undefined) {
    throw new PgBranchError('`server` is not a connection URI with a host', {
      code: 'PGB_SERVER',
      hint: 'For example postgresql://admin:secret@127.0.0.1:5432/postgres. Sockets in the file system are not supported.',
    })
  }
  const label = `${address.user}@${address.host}:${address.port}`
  const client = await retryWhile(isStarting, () => connect(address)).catch((error: unknown) => {
    throw new PgBranchError(`cannot connect to the server ${label}: ${describeError(error)}`, {
      code: 'PGB_SERVER',
      hint: hints[getErrorCode(error) ?? ''] ?? 'The message is from the server or the network.',
      cause: error,
    })
  })
  try {
    await refusePooler(client, label)
    const facts = await readFacts(client)
    if (facts.version < oldestVersion) {
      throw new PgBranchError(`the server ${label} is PostgreSQL ${facts.version}`, {
        code: 'PGB_SERVER',
        hint: `Supported are ${oldestVersion} and later.`,
      })
    }
    if (!facts.mayCreate) {
      throw new PgBranchError(`the role ${address.user} of the server ${label} may not create databases`, {
        code: 'PGB_SERVER',
        hint: `As a superuser: ALTER ROLE ${pg.escapeIdentifier(address.user)} CREATEDB;`,
      })
    }
    const { version, fullVersion, free } = facts
    return {
      address,
      label,
      version,
      fullVersion,
      // What a template holds belongs to whoever built it.
      buildId: `server ${fullVersion} ${facts.locale} ${address.user}`,
      freeConnections: Math.max(1, free - ownConnections),
      sessions: createSessions(address),
    }
  } finally {
    await client.end()
  }
}

function createSessions(address: DatabaseAddress): pg.Pool {
  const sessions = new pg.Pool({
    connectionString: formatUrl(address),
    application_name: 'pg-branch',
    max: 3,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
  })
  // One that breaks while idle is replaced; one that breaks in use fails the statement that it is at.
  sessions.on('error', () => {})
  sessions.on('connect', (client) => client.on('error', () => {}))
  return sessions
}

/** Runs `action` in one of the server's sessions, which is given up if it fails. */
export async function withSession<T>(server: SharedServer, action: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await server.sessions.connect()
  let failure: Error | undefined
  try {
    return await action(client)
  } catch (error) {
    failure = error as Error
    throw error
  } finally {
    client.release(failure)
  }
}

/** A server that is away for longer is gone: nobody should wait for it, least of all a shutdown. */
export const downForMs = 10_000
const retryMs = 300

/** Tries again while the server restarts: what it refuses itself is thrown at once. */
export function retryWhileDown<T>(action: () => Promise<T>): Promise<T> {
  return retryWhile(isDown, action)
}

function isDown(error: unknown): boolean {
  return /^(57P|08|ECONN|EPIPE)/.test(getErrorCode(error) ?? '') || /Connection terminated/.test(describeError(error))
}

/** SQLSTATE cannot_connect_now: it is just starting, as a fresh container's does when its port is already open. */
const isStarting = (error: unknown) => getErrorCode(error) === '57P03'

async function retryWhile<T>(isPassing: (error: unknown) => boolean, action: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + downForMs
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw error
      await sleep(retryMs)
    }
  }
}

const hints: Record<string, string> = {
  '28P01': 'The password in the URL is wrong.',
  '28000': 'The server does not let this role in from here; see pg_hba.conf.',
  '3D000': 'The database named in the URL does not exist; `postgres` usually does.',
  ECONNREFUSED: 'Nobody listens there: is the server running, and the port right?',
  ENOTFOUND: 'There is no host of that name.',
}

/** A pooler gives each statement any session it likes, and makes up the number that identifies one. */
async function refusePooler(client: pg.Client, label: string): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  if (rows[0]?.pid === (client as unknown as { processID: number }).processID) return
  throw new PgBranchError(`between here and the server ${label} is a connection pooler (pgbouncer or the like)`, {
    code: 'PGB_SERVER',
    hint: 'Name the server itself: locks that say which branch is in use belong to a session, which a pooler does not keep.',
  })
}

async function readFacts(
  client: pg.Client,
): Promise<{ version: number; fullVersion: string; locale: string; mayCreate: boolean; free: number }> {
  const { rows } = await client.query<{
    number: number
    version: string
    locale: string
    may_create: boolean
    free: number
  }>(`
    SELECT current_setting('server_version_num')::int AS number,
      current_setting('server_version') AS version,
      (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create,
      (SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype)
        FROM pg_database WHERE datname = 'template1') AS locale,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0)
        - (SELECT count(*) FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND datname NOT LIKE 'pgb\\_%' AND application_name NOT LIKE 'pg-branch%')::int AS free`)
  const row = rows[0]
  if (row === undefined) throw new Error('the server answered without a row')
  return {
    version: Math.floor(row.number / 10_000),
    fullVersion: row.version,
    locale: row.locale,
    mayCreate: row.may_create,
    free: row.free,
  }
}
