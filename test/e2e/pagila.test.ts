import { expect } from 'vitest'
import { makeHome } from '../support/home.ts'
import { makeProject, oneLineConfig } from '../support/project.ts'
import { dataDir, testWithData } from '../support/shared-data.ts'

/** What each file does, and could see of the others if anything crossed over. */
function makeFile(index: number): string {
  return `import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3 })
afterAll(() => pool.end())
const one = async (text) => Object.values((await pool.query(text)).rows[0])[0]
test('reads Pagila as it is', async () => {
  expect(await one('SELECT count(*)::int FROM rental')).toBe(16044)
  expect(await one('SELECT count(*)::int FROM payment')).toBe(16044)
  expect(await one("SELECT count(*)::int FROM film WHERE fulltext @@ to_tsquery('fate')")).toBeGreaterThan(0)
})
test('writes, makes a role, changes settings', async () => {
  expect(await one('SELECT count(*)::int FROM actor')).toBe(200)
  expect(await one("INSERT INTO actor (first_name, last_name) VALUES ('FILE', '${index}') RETURNING actor_id")).toBe(201)
  await pool.query('DELETE FROM payment WHERE amount < ${index}')
  expect(await one("SELECT count(*)::int FROM pg_roles WHERE rolname LIKE 'tester%'")).toBe(0)
  await pool.query('CREATE ROLE tester${index} SUPERUSER')
  expect(await one("SELECT count(*)::int FROM pg_settings WHERE name = 'work_mem' AND setting <> '4096'")).toBe(0)
  await pool.query("ALTER SYSTEM SET work_mem = '${index + 10}MB'")
  await pool.query('SELECT pg_reload_conf()')
  await expect.poll(() => one("SELECT setting::int / 1024 FROM pg_settings WHERE name = 'work_mem'")).toBe(${index + 10})
})
`
}

testWithData(
  'Pagila: thirty files that read, write, make roles and change settings; nothing crosses over',
  async () => {
    await using _home = makeHome()
    const files = Array.from({ length: 30 }, (_, index) => [`test/file-${index}.test.ts`, makeFile(index)] as const)
    await using project = await makeProject({
      'vitest.config.ts': oneLineConfig,
      'pg-branch.config.ts': `import { defineConfig, sql } from 'pg-branch'
export default defineConfig({ seed: [sql('${dataDir}/pagila-schema.sql'), sql('${dataDir}/pagila-data.sql')] })
`,
      ...Object.fromEntries(files),
    })
    const { exitCode, all } = await project.vitest()
    expect(all).toMatch(/Test Files {2}30 passed \(30\)/)
    expect(all).toMatch(/Tests {2}60 passed \(60\)/)
    expect(exitCode).toBe(0)
  },
)
