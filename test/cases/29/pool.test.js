const { Pool } = require('pg')
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
afterAll(() => pool.end())
test('pool', async () => {
  await pool.query('SELECT 1')
})
