import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import { makeProject, queryTest, toCommonJs, usersTable, type TestProject } from '../support/project.ts'

const migrations = { 'migrations/1.sql': usersTable }
const passing = queryTest('reads', ['SELECT count(*)::int FROM users'], 100)
const failing = queryTest('expects too much', ['SELECT count(*)::int FROM users'], 101)

const vitestFiles = {
  ...migrations,
  'test/a.test.js': passing,
  'test/b.test.js': failing,
  'vitest.config.js': `export default { test: { environment: 'pg-branch', reporters: ['default', 'vitest-environment-pg-branch/reporter'] } }`,
}
const jestFiles = {
  ...migrations,
  'test/a.test.cjs': toCommonJs(passing),
  'test/b.test.cjs': toCommonJs(failing),
  'jest.config.cjs': `module.exports = { testEnvironment: 'pg-branch', testMatch: ['**/*.test.cjs'], transform: {}, reporters: ['default', 'jest-environment-pg-branch/reporter'] }`,
}

const block =
  /^pg-branch\n {2}template {2}[0-9a-f]{8}, built in [\d.]+ m?s: first build of this project\n {2}postgres {2}embedded postgres \(PostgreSQL\) 18.*\n {2}branches {2}2 leased, \d of them made ahead\n {2}lease {5}p50 .*, p95 .*\n {2}fork .*\n {2}volume .*\n(?: {2}faster .*\n)? {2}kept {6}.*expects too much.*\n {12}PGPASSFILE=.* psql -h 127\.0\.0\.1/m

type Run = (project: TestProject, env: Record<string, string>) => Promise<{ all?: unknown }>

describe.each<[string, Record<string, string>, { version?: 4 | 5; jest?: 29 | 30 }, Run]>([
  ['Vitest 4', vitestFiles, { version: 4 }, (p, env) => p.vitest(['run'], { env, reject: false, all: true })],
  [
    'Vitest 5',
    vitestFiles,
    { version: 5 },
    (p, env) => p.vitest(['run'], { env, reject: false, all: true, version: 5 } as object),
  ],
  ['Jest 30', jestFiles, { jest: 30 }, (p, env) => p.jest([], { env, reject: false, all: true })],
  ['Jest 29', jestFiles, { jest: 29 }, (p, env) => p.jest([], { env, reject: false, all: true })],
])('%s', (_name, files, versions, run) => {
  test('says what the run did, and how to open what is kept', async () => {
    await using home = makeHome()
    await using project = await makeProject(files, versions)
    const first = await run(project, { NO_COLOR: '1', CI: '' })
    expect(String(first.all)).toMatch(block)
    const summary = join(project.dir, 'summary.md')
    writeFileSync(summary, 'before\n')
    const github = { NO_COLOR: '1', CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary }
    const second = await run(project, github)
    expect(String(second.all)).toMatch(/^ {2}template {2}[0-9a-f]{8}, from the cache$/m)
    expect(String(second.all)).toMatch(/^::warning title=pg-branch kept a branch::.*expects too much.*PGPASSFILE=/m)
    expect(readFileSync(summary, 'utf8')).toMatch(
      /^before\n### pg-branch\n\n\| \| \|\n\| --- \| --- \|\n\| template \| [0-9a-f]{8}, from the cache \|/,
    )
    expect(await home.end()).toEqual([])
  })
})
