import { afterAll, expect, test } from 'vitest'
import { getBalance, pool, transfer } from '../src/accounts.js'

afterAll(() => pool.end())

test('moves money', async () => {
  await transfer('Ada', 'Grace', 30)
  expect(await getBalance('Ada')).toBe(70)
  expect(await getBalance('Grace')).toBe(80)
})

test('does nothing if there is too little', async () => {
  await expect(transfer('Grace', 'Ada', 60)).rejects.toThrow('violates check constraint')
  expect(await getBalance('Ada')).toBe(100)
})
