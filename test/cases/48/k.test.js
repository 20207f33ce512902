import pg from 'pg'
import { expect, test } from 'vitest'
test('which seed', async () => {
  const c = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await c.connect()
  console.log('NODE_ENV', process.env.NODE_ENV, (await c.query('select name from users')).rows)
  await c.end()
})
