import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1, statement_timeout: 1000 })
const errors = []
pool.on('error', (e) => {
  errors.push(e.message)
  console.log('pool error', e.message)
})
afterAll(() => pool.end())
for (let i = 0; i < 6; i++)
  test('tiny timeout ' + i, async () => {
    await pool.query('SET statement_timeout = 1')
    await expect(pool.query('SELECT pg_sleep(1)')).rejects.toThrow(/statement timeout/)
    await pool.query('RESET statement_timeout').catch(() => {})
    await pool.query("INSERT INTO users (name) VALUES ('x')")
    await pool.query('SET statement_timeout = 1')
  })
test('end', () => expect(errors).toEqual([]))
