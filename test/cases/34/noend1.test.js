import pg from 'pg'
import postgres from 'postgres'
import { expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4, idleTimeoutMillis: 0 })
const sql = postgres(process.env.DATABASE_URL, { max: 2 })
for (let i = 0; i < 3; i++)
  test('never ends its pool ' + i, async () => {
    await Promise.all([1, 2, 3].map(() => pool.query('SELECT pg_sleep(0.01)')))
    await sql`INSERT INTO users (name) VALUES ('x')`
    expect((await pool.query('SELECT count(*)::int n FROM users')).rows[0].n).toBeGreaterThan(2)
  })
