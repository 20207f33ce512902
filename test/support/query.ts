import pg from 'pg'

/** Runs statements on a connection of their own. @returns the rows. */
export async function query(url: string, text: string): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
