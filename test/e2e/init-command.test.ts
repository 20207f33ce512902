import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli, runJson } from '../support/cli.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, queryTest, usersTable, type TestProject } from '../support/project.ts'

interface Plan {
  runners: string[]
  seed: string
  others: string[]
  changes: Array<{ path: string; before: string; after: string }>
  next: string[]
}

const withPackages = (names: string[], rest: object = {}) =>
  JSON.stringify({
    name: 'user',
    type: 'module',
    devDependencies: Object.fromEntries(names.map((name) => [name, '*'])),
    ...rest,
  })

const read = (project: TestProject, path: string) => readFileSync(join(project.dir, path), 'utf8')

test('a fresh Vitest project: what it would do, then after --yes the tests have branches', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'package.json': withPackages(['vitest', '@testcontainers/postgresql']),
    'pnpm-lock.yaml': '',
    'migrations/1.sql': usersTable,
    'test/a.test.js': queryTest('reads', ['SELECT count(*)::int FROM users'], 100),
  })
  const shown = await runCli(project.dir, ['init', '--dry-run'])
  expect(shown.all).toMatch(
    /^tests with {5}vitest\ndatabase from {2}plain SQL \(migrations\/\*\.sql\)\nuntil now {6}testcontainers\n/,
  )
  expect(shown.all).toContain("+  seed: [sql('migrations/*.sql', '!migrations/*.{down,undo}.sql')],")
  expect(shown.all).toContain("+export default defineConfig({ test: { environment: 'pg-branch' } })")
  expect(shown.all).toContain('1. pnpm add -D vitest-environment-pg-branch pg-branch')
  expect(existsSync(join(project.dir, 'pg-branch.config.mjs'))).toBe(false)
  const unasked = await runCli(project.dir, ['init'])
  expect(unasked.exitCode).toBe(1)
  expect(unasked.stderr).toContain('Run it again with --yes')
  expect((await runCli(project.dir, ['init', '--yes'])).exitCode).toBe(0)
  const { all, exitCode } = await project.vitest(['run'], { reject: false, all: true })
  expect(exitCode, String(all)).toBe(0)
  expect(await runJson<Plan>(project.dir, ['init', '--dry-run'])).toMatchObject({ changes: [] })
  expect(await home.end()).toEqual([])
})

test('a Vitest configuration keeps all that is in it', async () => {
  await using project = await makeProject({
    'package.json': withPackages(['vitest', 'vitest-environment-pg-branch', 'pg-branch', 'typescript']),
    'prisma/schema.prisma': '',
    'vitest.config.ts': `import { defineConfig } from 'vitest/config'

// A comment of the user's.
export default defineConfig({
  plugins: [somePlugin({ deep: true })],
  test: {
    environment: 'jsdom', // for components
    globals: true,
  },
})
`,
  })
  await runCli(project.dir, ['init', '--yes'])
  const config = read(project, 'vitest.config.ts')
  expect(config).toContain("// A comment of the user's.")
  expect(config).toContain('plugins: [somePlugin({ deep: true })],')
  expect(config).toMatch(/environment: ['"]pg-branch['"]/)
  expect(config).toMatch(/pgBranch: \{\s*base: ['"]jsdom['"]/)
  expect(config).toContain('globals: true')
})

test.each([
  ['a function', 'export default ({ mode }) => ({ test: { globals: true } })'],
  ['projects', `export default { test: { projects: ['packages/*'] } }`],
  ['another environment', `export default { test: { environment: 'edge-runtime' } }`],
])('%s is left to the user, who is told what to write', async (_what, text) => {
  await using project = await makeProject({
    'package.json': withPackages(['vitest']),
    'vitest.config.js': text,
    'schema.sql': '',
  })
  const { changes, next } = await runJson<Plan>(project.dir, ['init', '--dry-run'])
  expect(changes.map(({ path }) => path)).toEqual(['pg-branch.config.mjs'])
  expect(next.join('\n')).toContain("set `environment: 'pg-branch'` in the `test` options of vitest.config.js")
})

test.each<[string, Record<string, string>, string, RegExp]>([
  ['without a configuration', {}, 'jest.config.js', /^export default \{\n {2}testEnvironment: 'pg-branch',\n\}\n$/],
  [
    'CommonJS',
    { 'jest.config.cjs': `module.exports = {\n  verbose: true, // please\n}\n` },
    'jest.config.cjs',
    /^module\.exports = \{\n {2}testEnvironment: 'pg-branch',\n {2}verbose: true, \/\/ please\n\}\n$/,
  ],
  [
    'CommonJS with node',
    { 'jest.config.cjs': `module.exports = { testEnvironment: "node" }` },
    'jest.config.cjs',
    /^module\.exports = \{ testEnvironment: "pg-branch" \}$/,
  ],
  [
    'a module',
    { 'jest.config.mjs': `export default {\n  verbose: true,\n}\n` },
    'jest.config.mjs',
    /verbose: true,\n {2}testEnvironment: ['"]pg-branch['"]/,
  ],
  [
    'JSON',
    { 'jest.config.json': `{\n\t"verbose": true\n}\n` },
    'jest.config.json',
    /^\{\n\t"verbose": true,\n\t"testEnvironment": "pg-branch"\n\}\n$/,
  ],
])('Jest %s', async (_what, files, path, expected) => {
  await using project = await makeProject({ 'package.json': withPackages(['jest']), 'schema.sql': '', ...files })
  expect((await runCli(project.dir, ['init', '--yes'])).exitCode).toBe(0)
  expect(read(project, path)).toMatch(expected)
})

test('Jest in package.json, and `node --test`', async () => {
  await using project = await makeProject({
    'package.json': withPackages(['jest'], { jest: { verbose: true }, scripts: { test: 'node --test test/*.js' } }),
    'schema.sql': '',
  })
  const plan = await runJson<Plan>(project.dir, ['init', '--dry-run'])
  expect(plan.runners).toEqual(['jest', 'node:test'])
  await using plain = await makeProject({
    'package.json': withPackages([], { scripts: { test: 'node --test test/*.js' } }),
    'schema.sql': '',
  })
  await runCli(plain.dir, ['init', '-y'])
  expect(JSON.parse(read(plain, 'package.json'))).toMatchObject({
    scripts: { test: 'pg-branch run -- node --test test/*.js' },
  })
})

test('what it cannot know it says, and writes where to say it', async () => {
  await using project = await makeProject({ 'package.json': withPackages(['vitest']) })
  const plan = await runJson<Plan>(project.dir, ['init', '--dry-run'])
  expect(plan.seed).toBe('nothing that is known')
  expect(plan.next.join('\n')).toContain('say in pg-branch.config.mjs what makes your database')
  await project.write({ 'migrations/1.sql': '', 'db/schema/1.sql': '' })
  expect((await runJson<Plan>(project.dir, ['init', '--dry-run'])).seed).toMatch(
    /^it is not clear: .*SQL in more than one place/,
  )
  await project.write({ 'package.json': '{ "name": "user" }' })
  const none = await runCli(project.dir, ['init'])
  expect(none.exitCode).toBe(1)
  expect(none.stderr).toContain('no test runner that pg-branch knows')
})

test('two runners that change one file, and what stands in comments only', async () => {
  await using project = await makeProject({
    'package.json': withPackages(['jest'], { scripts: { test: 'node --test' }, jest: { verbose: true } }),
    'migrations/1.sql': usersTable,
  })
  expect((await runCli(project.dir, ['init', '--yes'])).exitCode).toBe(0)
  expect(JSON.parse(read(project, 'package.json'))).toMatchObject({
    scripts: { test: 'pg-branch run -- node --test' },
    jest: { verbose: true, testEnvironment: 'pg-branch' },
  })
  await using commented = await makeProject({
    'package.json': withPackages(['jest'], { type: 'commonjs' }),
    'migrations/1.sql': usersTable,
    'jest.config.js': `// testEnvironment: 'node'\nmodule.exports = require('./base')\n`,
  })
  const plan = await runJson<Plan>(commented.dir, ['init', '--dry-run'])
  expect(plan.changes.map(({ path }) => path)).not.toContain('jest.config.js')
  expect(plan.next.join('\n')).toContain("set `testEnvironment: 'pg-branch'` in jest.config.js")
  await using broken = await makeProject({ 'package.json': withPackages(['jest']), 'jest.config.json': '{ nonsense' })
  const { stderr, exitCode } = await runCli(broken.dir, ['init', '--dry-run'])
  expect(stderr).toMatch(/not valid JSON.*\n.*Correct it first\. \[PGB_ARGUMENT\]/)
  expect(exitCode).toBe(1)
})

test('where the runner’s configuration must be changed by hand, it is not done, and says so', async () => {
  await using project = await makeProject(
    {
      'package.json': withPackages(['vitest', 'drizzle-kit'], { scripts: { 'db:seed': 'tsx src/seed.ts' } }),
      'drizzle.config.ts': 'export default {}',
      'vite.config.ts': `export default (({ mode }) => ({ test: { environment: 'node', name: mode } }))`,
    },
    { tools: ['drizzle-kit'] },
  )
  const { stdout, exitCode } = await runCli(project.dir, ['init', '--yes'])
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/\nnot done yet, and your tests have no branch before: set `environment: 'pg-branch'` in /)
  expect(stdout).toContain("command('npm run db:seed'")
})
