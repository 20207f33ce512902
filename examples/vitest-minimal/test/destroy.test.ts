import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())

test('even this is nobody else’s business', async () => {
  await pool.query('DROP TABLE transfers; TRUNCATE accounts; CREATE ROLE intruder SUPERUSER')
  await pool.query("ALTER SYSTEM SET work_mem = '123MB'")
  const { rows } = await pool.query('SELECT count(*)::int AS count FROM accounts')
  expect(rows).toEqual([{ count: 0 }])
})
