import { afterAll, expect, test } from 'vitest'
import { add, close, count } from './database.ts'

afterAll(close)

test('starts from the seed, and adds a refund', async () => {
  expect(await count('refund')).toBe(66667)
  await add('refund')
  expect(await count('refund')).toBe(66668)
})
