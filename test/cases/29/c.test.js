/** @jest-environment pg-branch */
const { Pool } = require('pg')
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
afterAll(() => pool.end())
beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'], now: new Date('2020-01-01') }))
for (let i = 0; i < 3; i++)
  test('t' + i, async () => {
    expect((await pool.query('SELECT count(*)::int n FROM users')).rows[0].n).toBe(2)
    await pool.query("INSERT INTO users (name) VALUES ('x')")
    expect(new Date().getFullYear()).toBe(2020)
  })
