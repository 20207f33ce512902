import { afterAll, expect, test } from 'vitest'
import { getBalance, open, pool } from '../src/accounts.js'

afterAll(() => pool.end())

test('a new account is empty', async () => {
  expect(await open('Edsger')).toBe(3)
  expect(await getBalance('Edsger')).toBe(0)
})

test('the next test does not see it', async () => {
  expect(await getBalance('Edsger')).toBeUndefined()
  expect(await open('Barbara')).toBe(3)
})
