import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { getBalance, open } from '../src/accounts.js'

const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
beforeAll(() => client.connect())
beforeEach(() => client.query('BEGIN'))
afterEach(() => client.query('ROLLBACK'))
afterAll(() => client.end())

test('a new account is empty', async () => {
  await open(client, 'Edsger')
  expect(await getBalance(client, 'Edsger')).toBe(0)
})

test('the next test does not see it, though its number is taken', async () => {
  expect(await getBalance(client, 'Edsger')).toBeUndefined()
  expect(await open(client, 'Barbara')).toBeGreaterThan(3)
})

test('after an error nothing more can be asked', async () => {
  await expect(open(client, 'Ada')).rejects.toThrow('duplicate key')
  await expect(getBalance(client, 'Ada')).rejects.toThrow('current transaction is aborted')
})
