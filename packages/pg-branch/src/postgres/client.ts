import pg from 'pg'
import { formatUrl, type DatabaseAddress } from '../lib/connection-uri.ts'

/** Connects to a server; a connection that breaks later is not an unhandled error. */
export async function connect(address: DatabaseAddress): Promise<pg.Client> {
  const { host, port, user, password, database, parameters = '' } = address
  const where =
    parameters === '' ? { host, port, user, password, database, ssl: false } : { connectionString: formatUrl(address) }
  const client = new pg.Client({ ...where, application_name: 'pg-branch', connectionTimeoutMillis: 30_000 })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Runs `use` on a connection of its own. */
export async function withClient<T>(address: DatabaseAddress, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(address)
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
