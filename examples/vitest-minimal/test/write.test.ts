import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

// The usual variables work as well as DATABASE_URL: pg reads PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE.
const pool = new pg.Pool()
afterAll(() => pool.end())

test('a transfer moves money, and no other file will know', async () => {
  await pool.query('SELECT transfer(1, 2, 30)')
  const { rows } = await pool.query('SELECT id::int, balance::int FROM accounts WHERE id <= 2 ORDER BY id')
  expect(rows).toEqual([
    { id: 1, balance: 70 },
    { id: 2, balance: 130 },
  ])
})

test('the first transfer of this file has the first number of the sequence', async () => {
  const { rows } = await pool.query('SELECT id::int FROM transfers')
  expect(rows).toEqual([{ id: 1 }])
})

test('an account cannot be overdrawn', async () => {
  await expect(pool.query('SELECT transfer(3, 4, 101)')).rejects.toThrow(/accounts_balance_check/)
})
