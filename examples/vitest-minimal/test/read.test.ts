import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())

test('the migrations have run, in natural order', async () => {
  const { rows } = await pool.query('SELECT count(*)::int AS count, sum(balance)::int AS sum FROM accounts')
  expect(rows).toEqual([{ count: 1000, sum: 100_000 }])
})
