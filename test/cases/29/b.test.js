const { Client } = require('pg')
test('passes', async () => {
  const c = new Client({ connectionString: process.env.DATABASE_URL })
  await c.connect()
  await c.query('SELECT 1')
  await c.end()
})
