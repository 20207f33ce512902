import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())

test('a branch has the rows of the dump, the migrations, and a time that is now', async () => {
  const { rows } = await pool.query(
    "SELECT count(*)::int AS recent, min(source) AS source FROM events WHERE happened_at > now() - interval '1 hour'",
  )
  expect(rows).toEqual([{ recent: 3, source: 'web' }])
})
