import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())

const nearest =
  'SELECT name FROM cities WHERE name <> $1 ORDER BY at <-> (SELECT at FROM cities WHERE name = $1) LIMIT 1'

test('the nearest city, until there is a nearer one', async () => {
  expect((await pool.query(nearest, ['Vienna'])).rows).toEqual([{ name: 'Graz' }])
  await pool.query("INSERT INTO cities VALUES ('St. Pölten', 'POINT(15.63 48.20)')")
  expect((await pool.query(nearest, ['Vienna'])).rows).toEqual([{ name: 'St. Pölten' }])
})
