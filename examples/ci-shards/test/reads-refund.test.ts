import { afterAll, expect, test } from 'vitest'
import { close, count } from './database.ts'

afterAll(close)

test('starts from the seed, and is untouched by who adds a refund', async () => {
  expect(await count('refund')).toBe(66667)
})
