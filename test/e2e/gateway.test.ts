import pg from 'pg'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'

const seed = { 'migrations/1.sql': 'CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (1, $$one$$)' }

const reset = (branch: Awaited<ReturnType<typeof leaseBranch>>, next: string, to?: string) =>
  branch.connection.call.reset({ leaseId: branch.leaseId, next, to })

test('an open pool comes along to a fresh branch', async () => {
  await using _home = makeHome()
  await using project = await makeProject(seed)
  await using branch = await leaseBranch(project.dir, { scope: 'test' })
  const pool = new pg.Pool({ connectionString: branch.url, max: 3 })
  const count = async () => (await pool.query('SELECT count(*)::int AS n FROM t')).rows[0]?.n as number
  try {
    await Promise.all([count(), count(), count()])
    expect(await reset(branch, 'first')).toEqual({ rung: 'pristine', leftOver: [] })
    await pool.query('INSERT INTO t VALUES (2, $1)', ['two'])
    expect(await count()).toBe(2)
    const t0 = performance.now()
    expect(await reset(branch, 'second')).toEqual({ rung: 'fork', leftOver: [] })
    console.log('reset', performance.now() - t0)
    const t1 = performance.now()
    expect(await count()).toBe(1)
    console.log('query', performance.now() - t1)
    const t2 = performance.now()
    expect(await reset(branch, 'third')).toEqual({ rung: 'pristine', leftOver: [] })
    console.log('reset pristine', performance.now() - t2)
    const t3 = performance.now()
    await pool.query('SELECT 1')
    console.log('query', performance.now() - t3)
  } finally {
    await pool.end()
  }
})
