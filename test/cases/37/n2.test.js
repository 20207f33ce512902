const { Pool } = require('pg')
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 })
for (let i = 0; i < 3; i++)
  test('never ends its pool ' + i, async () => {
    await Promise.all([1, 2].map(() => pool.query("INSERT INTO users (name) VALUES ('x')")))
  })
