const { Pool } = require('pg')
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
pool.on('error', (e) => console.log('pool error ' + e.message))
afterAll(() => pool.end())
const count = async () => (await pool.query('SELECT count(*)::int n FROM users')).rows[0].n
let tries = 0
describe('d', () => {
  beforeAll(() => pool.query("INSERT INTO users (name) VALUES ('all')"))
  test.each([1, 2, 3])('each %i', async () => {
    expect(await count()).toBe(3)
    await pool.query("INSERT INTO users (name) VALUES ('x')")
  })
  test('resetModules', async () => {
    jest.resetModules()
    const { Client } = require('pg')
    const c = new Client({ connectionString: process.env.DATABASE_URL })
    await c.connect()
    expect((await c.query('SELECT count(*)::int n FROM users')).rows[0].n).toBe(3)
    await c.end()
    await pool.query('DELETE FROM users')
  })
  test('after', async () => {
    expect(await count()).toBe(3)
  })
})
test('outside', async () => {
  expect(await count()).toBe(2)
})
