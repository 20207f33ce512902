import { readFile } from 'node:fs/promises'
import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { afterAll, beforeEach } from 'vitest'
import pg from 'pg'

// A container for each file, before the application is imported and makes its pool.
const container = await new PostgreSqlContainer(process.env.POSTGRES_IMAGE ?? 'postgres:18').start()
process.env.DATABASE_URL = container.getConnectionUri()

async function run(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: container.getConnectionUri() })
  await client.connect()
  await client.query(text)
  await client.end()
}

beforeEach(async () => {
  await run('DROP TABLE IF EXISTS accounts')
  await run(await readFile('migrations/001_accounts.sql', 'utf8'))
})
afterAll(async () => {
  await container.stop()
})
