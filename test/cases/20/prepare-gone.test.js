import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
pool.on('error', (e) => console.log('pool error', e.message))
afterAll(() => pool.end())
test('makes a table and prepares on it', async () => {
  await pool.query('CREATE TABLE foo (a int)')
  await pool.query('PREPARE pf AS SELECT * FROM foo')
})
test('does not care', async () => {
  expect((await pool.query('SELECT 1 AS one')).rows[0].one).toBe(1)
})
test('makes a role', async () => {
  await pool.query('CREATE ROLE tmp_role')
  await pool.query('GRANT ALL ON users TO tmp_role')
  await pool.query('SET ROLE tmp_role')
})
test('does not care either', async () => {
  expect((await pool.query('SELECT 1 AS one')).rows[0].one).toBe(1)
})
