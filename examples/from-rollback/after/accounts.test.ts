import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { getBalance, open, transfer } from '../src/accounts.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
afterAll(() => pool.end())

test('a new account is empty', async () => {
  expect(await open(pool, 'Edsger')).toBe(3)
  expect(await getBalance(pool, 'Edsger')).toBe(0)
})

test('the next test does not see it, and its number is free', async () => {
  expect(await getBalance(pool, 'Edsger')).toBeUndefined()
  expect(await open(pool, 'Barbara')).toBe(3)
})

test('after an error all goes on', async () => {
  await expect(open(pool, 'Ada')).rejects.toThrow('duplicate key')
  expect(await getBalance(pool, 'Ada')).toBe(100)
})

test('what commits can be tested, with as many connections as it likes', async () => {
  const results = await Promise.allSettled(
    [1, 2, 3].map(() => transfer(pool, { from: 'Ada', to: 'Grace', amount: 40 })),
  )
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  expect(await getBalance(pool, 'Ada')).toBe(20)
})
