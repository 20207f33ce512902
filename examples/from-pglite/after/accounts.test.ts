import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { getBalance, open } from '../src/accounts.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
afterAll(() => pool.end())

test('a new account is empty', async () => {
  expect(await open(pool, 'Edsger')).toBe(3)
  expect(await getBalance(pool, 'Edsger')).toBe(0)
})

test('the next test does not see it', async () => {
  expect(await getBalance(pool, 'Edsger')).toBeUndefined()
})

test('several connections at the same time, which PGlite has not', async () => {
  const [one, other] = [await pool.connect(), await pool.connect()]
  await one.query('BEGIN; UPDATE accounts SET balance = 0')
  const { rows } = await other.query<{ balance: number }>("SELECT balance FROM accounts WHERE owner = 'Ada'")
  expect(rows).toEqual([{ balance: 100 }])
  await one.query('ROLLBACK')
  one.release()
  other.release()
})
