import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { makeHome, settle } from '../support/home.ts'
import { makeProject, oneLineConfig, queryTest, usersTable } from '../support/project.ts'
import type { VitestVersion } from '../support/installed.ts'

const versions: VitestVersion[] = [4, 5]

test('fifty files on eight workers', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': usersTable,
    ...Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [
        `${index}.test.ts`,
        queryTest(
          'its own',
          [`DELETE FROM users WHERE id <= ${index}`, 'SELECT count(*)::int FROM users'],
          100 - index,
        ),
      ]),
    ),
  })
  const { exitCode, all } = await project.vitest(['run', '--maxWorkers=8'])
  expect(all).toMatch(/Test Files {2}50 passed \(50\)/)
  expect(exitCode).toBe(0)
})

test('two runs of two projects at once', async () => {
  await using _home = makeHome()
  const make = (rows: number) =>
    makeProject({
      'vitest.config.ts': oneLineConfig,
      'migrations/1.sql': `CREATE TABLE t AS SELECT generate_series(1, ${rows})`,
      ...Object.fromEntries(
        Array.from({ length: 5 }, (_, index) => [
          `${index}.test.ts`,
          queryTest('its own', ['SELECT count(*)::int FROM t'], rows),
        ]),
      ),
    })
  await using one = await make(3)
  await using two = await make(7)
  const runs = await Promise.all([one.vitest(), two.vitest()])
  for (const { exitCode, all } of runs) expect(exitCode, String(all)).toBe(0)
})

describe.each(versions)('Vitest %i', (version) => {
  test('watch mode: after a migration changed, the next rerun has the new schema', async () => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        'vitest.config.ts': oneLineConfig,
        'migrations/1.sql': usersTable,
        'a.test.ts': queryTest('the table', ['SELECT count(*)::int FROM users'], 100),
      },
      { version },
    )
    const run = project.vitest(['--watch', '--standalone=false'], { stdin: 'pipe' })
    let output = ''
    run.all?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const waitFor = async (pattern: RegExp) => {
      await expect.poll(() => output, { timeout: 60_000 }).toMatch(pattern)
      output = ''
    }
    await waitFor(/1 passed \(1\)[\s\S]*Waiting for file changes/)
    await project.write({
      'migrations/2.sql': 'ALTER TABLE users ADD COLUMN email text; INSERT INTO users (name, email) VALUES (1, 2);',
      'a.test.ts': queryTest('the new column', ['SELECT count(*)::int FROM users WHERE email IS NOT NULL'], 1),
    })
    await waitFor(/migrations\/2\.sql was added[\s\S]*1 passed \(1\)[\s\S]*Waiting for file changes/)
    writeFileSync(
      `${project.dir}/a.test.ts`,
      readFileSync(`${project.dir}/a.test.ts`, 'utf8').replace('the new column', 'again'),
    )
    await waitFor(/1 passed \(1\)/)
    run.kill('SIGINT')
    await run
  })

  test('a first build that takes longer than Vitest lets a worker start, with the one line alone', async () => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        'vitest.config.ts': oneLineConfig,
        'migrations/1.sql': `${usersTable}SELECT pg_sleep(75);`,
        'a.test.ts': queryTest('waits', ['SELECT count(*)::int FROM users'], 100),
        'b.test.ts': queryTest('waits too', ['SELECT count(*)::int FROM users'], 100),
      },
      { version },
    )
    const { exitCode, all } = await project.vitest()
    expect(all).toMatch(/Test Files {2}2 passed \(2\)/)
    expect(exitCode).toBe(0)
  })
})

test('when idle, everything ends by itself', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'pg-branch.config.json': '{ "idleTimeoutMs": 500 }',
    'a.test.ts': queryTest('runs', ['SELECT 1'], 1),
  })
  expect((await project.vitest()).exitCode).toBe(0)
  await sleep(500)
  expect(await settle(() => home.findLeftovers(), 10_000)).toEqual([])
})
