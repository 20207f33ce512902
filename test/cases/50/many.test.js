import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 80 })
pool.on('error', () => {})
afterAll(() => pool.end())
test('80 at once', async () => {
  const r = await Promise.allSettled(Array.from({ length: 80 }, () => pool.query('SELECT pg_sleep(0.3)')))
  expect(r.filter((x) => x.status === 'rejected').map((x) => x.reason.message)).toEqual([])
})
