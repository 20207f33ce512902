import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 })
afterAll(() => pool.end())

test('takes a hundred of each, in this file only', async () => {
  await pool.query('UPDATE stock SET amount = amount - 100')
  const { rows } = await pool.query("SELECT amount FROM stock WHERE item = 'nut'")
  expect(rows).toEqual([{ amount: 150 }])
})
