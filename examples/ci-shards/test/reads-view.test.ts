import { afterAll, expect, test } from 'vitest'
import { close, count } from './database.ts'

afterAll(close)

test('starts from the seed, and is untouched by who adds a view', async () => {
  expect(await count('view')).toBe(66666)
})
