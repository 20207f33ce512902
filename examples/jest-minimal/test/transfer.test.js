const { Pool } = require('pg')

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())

test('a transfer moves money, and no other file will know', async () => {
  await pool.query('SELECT transfer(1, 2, 30)')
  const { rows } = await pool.query('SELECT id::int, balance::int FROM accounts WHERE id <= 2 ORDER BY id')
  expect(rows).toEqual([
    { id: 1, balance: 70 },
    { id: 2, balance: 130 },
  ])
})
