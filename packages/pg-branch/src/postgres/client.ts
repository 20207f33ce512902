import pg from 'pg'
import { formatUrl, type DatabaseAddress } from '../lib/connection-uri.ts'

/** Connects to a server; a connection that breaks later is not an unhandled error. */
export async function connect(address: DatabaseAddress, { options }: { options?: string } = {}): Promise<pg.Client> {
  const { host, port, user, password, database, parameters = '' } = address
  const where =
    parameters === '' ? { host, port, user, password, database, ssl: false } : { connectionString: formatUrl(address) }
  const client = new pg.Client({ ...where, application_name: 'pg-branch', connectionTimeoutMillis: 30_000, options })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** What the user may have set for a role, a database or all of the server holds for them, not for us. */
const withoutLimits = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
]
  .map((name) => `-c ${name}=0`)
  .concat('-c default_transaction_read_only=off', '-c role=none', '-c standard_conforming_strings=on')
  .join(' ')

/** Connects to a branch of ours as its superuser. */
export function connectOwn(address: DatabaseAddress): Promise<pg.Client> {
  return connect(address, { options: withoutLimits })
}

/** As `withClient`, as `connectOwn` does. */
export function withOwnClient<T>(address: DatabaseAddress, use: (client: pg.Client) => Promise<T>): Promise<T> {
  return runWith(connectOwn(address), use)
}

/** Runs `use` on a connection of its own. */
export function withClient<T>(address: DatabaseAddress, use: (client: pg.Client) => Promise<T>): Promise<T> {
  return runWith(connect(address), use)
}

async function runWith<T>(connecting: Promise<pg.Client>, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connecting
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
