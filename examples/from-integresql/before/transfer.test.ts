import { afterAll, expect, test } from 'vitest'
import { getBalance, pool, transfer } from '../src/accounts.js'

afterAll(() => pool.end())

test('moves money', async () => {
  await transfer('Ada', 'Grace', 30)
  expect(await getBalance('Ada')).toBe(70)
  expect(await getBalance('Grace')).toBe(80)
})

test('does nothing if there is too little', async () => {
  // The tests of a file share its database: Grace has 80 by now.
  await expect(transfer('Grace', 'Ada', 90)).rejects.toThrow('violates check constraint')
  expect(await getBalance('Ada')).toBe(70)
})
