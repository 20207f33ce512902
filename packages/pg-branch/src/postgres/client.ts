import pg from 'pg'

export interface ConnectOptions {
  port: number
  user: string
  password: string
  database: string
}

/** Connects to one of our servers; a connection that breaks later is not an unhandled error. */
export async function connect({ port, user, password, database }: ConnectOptions): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user,
    password,
    database,
    ssl: false,
    application_name: 'pg-branch',
    connectionTimeoutMillis: 30_000,
  })
  client.on('error', () => {})
  await client.connect()
  return client
}
