import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
for (const ms of [2, 3, 5, 10, 20]) {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
  let lost = 0
  pool.on('error', () => {
    lost += 1
  })
  afterAll(() => {
    console.log(ms + ' ms: ' + lost + ' of 10 connections closed')
    return pool.end()
  })
  for (let i = 0; i < 10; i++)
    test(`${ms} ms, ${i}`, async () => {
      await pool.query(`SET statement_timeout = 0`)
      await pool.query("INSERT INTO users (name) VALUES ('x')")
      await pool.query(`SET statement_timeout = ${ms}`)
    })
}
