import { afterAll, expect, test } from 'vitest'
import { pool } from './db.mjs'
afterAll(() => pool.end())
test('seeded', async () => {
  expect((await pool.query('SELECT name FROM users')).rows).toEqual([{ name: 'seeded' }])
})
