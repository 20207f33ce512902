import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())

test('three cities, whatever another file adds', async () => {
  expect((await pool.query('SELECT count(*)::int AS count FROM cities')).rows).toEqual([{ count: 3 }])
})
