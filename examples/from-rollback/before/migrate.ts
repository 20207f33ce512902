import { readFile } from 'node:fs/promises'
import pg from 'pg'

export async function setup(): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query('DROP TABLE IF EXISTS accounts')
  await client.query(await readFile('migrations/001_accounts.sql', 'utf8'))
  await client.end()
}
