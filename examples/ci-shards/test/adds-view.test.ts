import { afterAll, expect, test } from 'vitest'
import { add, close, count } from './database.ts'

afterAll(close)

test('starts from the seed, and adds a view', async () => {
  expect(await count('view')).toBe(66666)
  await add('view')
  expect(await count('view')).toBe(66667)
})
