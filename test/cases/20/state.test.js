import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
const errors = []
pool.on('error', (e) => errors.push(e.message))
afterAll(() => pool.end())
const users = async () => (await pool.query('SELECT count(*)::int n FROM users')).rows[0].n

describe('PREPARE beside another statement in one simple query', () => {
  test('1', async () => {
    await pool.query("PREPARE p1 AS SELECT 1; INSERT INTO users (name) VALUES ('leak')")
    expect(await users()).toBe(3)
  })
  test('2', async () => expect(await users()).toBe(2))
  test('3', async () => {
    await pool.query("INSERT INTO users (name) VALUES ('x')")
    expect(await users()).toBe(3)
  })
  test('4', async () => expect(await users()).toBe(2))
})
