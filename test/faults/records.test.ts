import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { runCli } from '../support/cli.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** @returns the same with one value somewhere in it changed for another. */
function damage(value: unknown, path: number[], by: unknown): unknown {
  const keys = isObject(value) ? Object.keys(value) : []
  const [first, ...rest] = path
  if (first === undefined || keys.length === 0) return by
  const key = keys[first % keys.length] ?? ''
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  return Object.assign(copy, { [key]: damage((value as Record<string, unknown>)[key], rest, by) })
}

test('a record on disk that holds any other JSON is as if it were not there, and never stands in the way', async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  const lease = async () => {
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  }
  await lease()
  await home.end()
  const list = () =>
    execFileSync(
      'find',
      [home.stateDir, '-name', '*.json', '-not', '-path', '*/postgres/*', '-not', '-path', '*/data/*'],
      {
        encoding: 'utf8',
      },
    )
      .split('\n')
      .filter((name) => name !== '')
  expect(list().map((file) => file.replace(/.*\//, ''))).toEqual(
    expect.arrayContaining(['places.json', 'template.json']),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(fc.nat({ max: 50 }), { maxLength: 3 }),
      fc.oneof(fc.constantFrom(null, [], {}, 17, '', 'x', true, [null], { a: null }), fc.jsonValue()),
      async (which, path, by) => {
        const files = list()
        const file = files[which % files.length] ?? ''
        writeFileSync(file, JSON.stringify(damage(JSON.parse(readFileSync(file, 'utf8')), path, by)))
        await lease()
        const ended = await home.end()
        // What the register of places does not name any more cannot be found by the test either.
        if (!file.endsWith('places.json')) expect(ended).toEqual([])
      },
    ),
    {
      numRuns: countRounds(6),
      examples: [
        [0, [], null],
        [1, [], null],
        [2, [], null],
        [3, [], null],
        [4, [], null],
      ],
    },
  )
  // What its schema allows, and nobody wrote.
  const alter: Array<(record: Record<string, unknown>) => object> = [
    (template) => ('database' in template ? { ...template, database: 'another' } : template),
    (template) => ('database' in template ? { ...template, database: '' } : template),
    (template) => ('user' in template ? { ...template, user: 'nobody' } : template),
    (project) =>
      'plan' in project ? (JSON.parse(JSON.stringify(project).replaceAll('users', 'others')) as object) : project,
  ]
  for (const change of alter) {
    let changed = 0
    for (const file of list()) {
      const record = JSON.parse(readFileSync(file, 'utf8')) as unknown
      if (!isObject(record) || Array.isArray(record)) continue
      const other = change(record)
      if (other !== record) changed += 1
      writeFileSync(file, JSON.stringify(other))
    }
    expect(changed).toBeGreaterThan(0)
    await lease()
    expect(await home.end()).toEqual([])
  }
  for (const args of [['doctor'], ['gc'], ['template', 'ls'], ['status']]) {
    for (const file of list()) writeFileSync(file, 'null')
    const { all } = await runCli(project.dir, args)
    expect(all).not.toMatch(/\n {4}at /)
  }
  await lease()
})
