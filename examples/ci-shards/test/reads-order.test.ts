import { afterAll, expect, test } from 'vitest'
import { close, count } from './database.ts'

afterAll(close)

test('starts from the seed, and is untouched by who adds an order', async () => {
  expect(await count('order')).toBe(66667)
})
