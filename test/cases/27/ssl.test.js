import pg from 'pg'
import postgres from 'postgres'
import { execSync } from 'node:child_process'
import { expect, test } from 'vitest'
test('pg', async () => {
  const c = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await c.connect()
  console.log((await c.query('show search_path')).rows)
  await c.end()
})
test('pg without a string', async () => {
  const c = new pg.Client()
  await c.connect()
  await c.end()
})
test('postgres.js', async () => {
  const sql = postgres(process.env.DATABASE_URL)
  await sql`select 1`
  await sql.end()
})
test('psql', () => {
  console.log(execSync('psql -X -At -c "select 1"', { encoding: 'utf8' }))
})
