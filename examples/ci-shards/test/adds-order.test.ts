import { afterAll, expect, test } from 'vitest'
import { add, close, count } from './database.ts'

afterAll(close)

test('starts from the seed, and adds an order', async () => {
  expect(await count('order')).toBe(66667)
  await add('order')
  expect(await count('order')).toBe(66668)
})
