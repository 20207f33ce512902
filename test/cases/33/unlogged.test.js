import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { branch } from 'vitest-environment-pg-branch/test'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
afterAll(() => pool.end())
const jobs = async () => (await pool.query('SELECT job FROM queue ORDER BY id')).rows.map((r) => r.job).join()
const add = (j) => pool.query('INSERT INTO queue (job) VALUES ($1)', [j])
describe('seed only', () => {
  for (let i = 0; i < 3; i++)
    test('t' + i, async () => {
      expect(await jobs()).toBe('from the seed')
      await add('t')
    })
})
describe('with beforeAll', () => {
  beforeAll(() => add('beforeAll'))
  for (let i = 0; i < 3; i++)
    test('t' + i, async () => {
      expect(await jobs()).toBe('from the seed,beforeAll')
      await add('t')
    })
})
test('snapshot and restore', async () => {
  await add('one')
  await branch.snapshot('s')
  await add('two')
  await branch.restore('s')
  expect(await jobs()).toBe('from the seed,one')
})
test('fork', async () => {
  await add('one')
  const f = await branch.fork()
  expect((await f.query('SELECT count(*)::int n FROM queue'))[0].n).toBe(2)
  await f.close()
})
