import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
client.on('error', (e) => console.log('client error', e.message))
beforeAll(async () => {
  await client.connect()
  await client.query("CREATE FUNCTION pg_temp.helper() RETURNS int LANGUAGE sql AS 'SELECT 42'")
})
afterAll(() => client.end())
test('1', async () => {
  expect((await client.query('SELECT pg_temp.helper() h')).rows[0].h).toBe(42)
  await client.query("INSERT INTO users (name) VALUES ('x')")
})
test('2', async () => {
  expect((await client.query('SELECT pg_temp.helper() h')).rows[0].h).toBe(42)
})
