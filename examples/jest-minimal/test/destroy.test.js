const { Pool } = require('pg')

const pool = new Pool()
afterAll(() => pool.end())

test('even this is nobody else’s business', async () => {
  await pool.query('DROP TABLE transfers; TRUNCATE accounts; CREATE ROLE intruder SUPERUSER')
  const { rows } = await pool.query('SELECT count(*)::int AS count FROM accounts')
  expect(rows).toEqual([{ count: 0 }])
})
