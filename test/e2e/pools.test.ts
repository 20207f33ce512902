import { describe, expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import { makeProject, oneLineConfig, queryTest, usersTable } from '../support/project.ts'
import type { VitestVersion } from '../support/installed.ts'

const versions: VitestVersion[] = [4, 5]
const pools = ['forks', 'threads', 'vmThreads', 'vmForks']

/** Four files that would fail if any saw what another did, whichever comes first. */
const files = {
  'vitest.config.ts': oneLineConfig,
  'migrations/1_users.sql': usersTable,
  'test/count.test.ts': queryTest('all users are there', ['SELECT count(*)::int FROM users'], 100),
  'test/delete.test.ts': queryTest('without any', ['DELETE FROM users', 'SELECT count(*)::int FROM users'], 0),
  'test/insert.test.ts': queryTest(
    'the sequence is its own',
    ["INSERT INTO users (name) VALUES ('new') RETURNING id"],
    101,
  ),
  'test/drop.test.ts': queryTest(
    'without the table',
    ['DROP TABLE users', "SELECT to_regclass('users') IS NULL"],
    true,
  ),
}

describe.each(versions)('Vitest %i', (version) => {
  test.each(pools)('pool %s: every file has its own branch', async (pool) => {
    await using _home = makeHome()
    await using project = await makeProject(files, { version })
    const { exitCode, all } = await project.vitest(['run', `--pool=${pool}`])
    expect(all).toMatch(/4 passed \(4\)/)
    expect(exitCode).toBe(0)
  })

  test.each(['forks', 'threads'])(
    'pool %s without isolation: files that share modules share a branch',
    async (pool) => {
      await using _home = makeHome()
      await using project = await makeProject(
        {
          'vitest.config.ts': oneLineConfig,
          'migrations/1_users.sql': usersTable,
          // One pool in a module that both files share: it must still work in the second.
          'src/pool.ts': `import pg from 'pg'\nexport const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })\n`,
          ...Object.fromEntries(
            ['a', 'b', 'c'].map((name) => [
              `test/${name}.test.ts`,
              `import { expect, test } from 'vitest'
import { pool } from '../src/pool.ts'
test('adds one', async () => {
  const url = process.env.DATABASE_URL
  await pool.query("INSERT INTO users (name) VALUES ('${name}')")
  const { rows } = await pool.query('SELECT count(*)::int AS count FROM users')
  console.log('COUNT ' + rows[0].count + ' ' + new URL(url).port)
  expect(rows[0].count).toBeGreaterThan(100)
})
`,
            ]),
          ),
        },
        { version },
      )
      const { exitCode, all } = await project.vitest(['run', `--pool=${pool}`, '--no-isolate', '--maxWorkers=1'])
      expect(exitCode, all?.toString()).toBe(0)
      const counts = [...String(all).matchAll(/COUNT (\d+) (\d+)/g)]
      expect(counts.map(([, count]) => Number(count))).toEqual([101, 102, 103])
      expect(new Set(counts.map(([, , port]) => port)).size).toBe(1)
    },
  )
})
