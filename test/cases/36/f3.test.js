import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 })
if (!process.env.NOEND) afterAll(() => pool.end())
for (let i = 0; i < 3; i++)
  test('t' + i, async () => {
    await pool.query("INSERT INTO users (name) VALUES ('x')")
    expect((await pool.query('SELECT count(*)::int n FROM users')).rows[0].n).toBe(3 + i)
  })
