import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { cliFile, makeHome } from '../support/home.ts'
import { leaseBranch } from '../support/branch.ts'
import { makeProject, usersTable } from '../support/project.ts'

const files = {
  'migrations/1.sql': usersTable,
  'count.js': `import pg from 'pg'
const client = new pg.Client()
await client.connect()
console.log((await client.query('SELECT count(*)::int AS n FROM users')).rows[0].n)
await client.end()`,
}

/** Runs `pg-branch` from a shell that has set something for it. */
function runAfter(setting: string, dir: string, args: string[], options = {}) {
  const command = `${setting}; exec "$0" "$@"`
  return execa('sh', ['-c', command, process.execPath, cliFile, ...args], {
    cwd: dir,
    reject: false,
    all: true,
    env: { NO_COLOR: '1' },
    ...options,
  })
}

/** initdb wants a user with an account. */
const nobody = 65_534

const run = ['run', '--', process.execPath, 'count.js']

test.each(['077', '000', '022', '0777'])(
  'umask %s: it works, and nobody else may write to what it made',
  async (mask) => {
    await using home = makeHome()
    await using project = await makeProject(files)
    const first = await runAfter(`umask ${mask}`, project.dir, run)
    expect(first.stdout, first.all).toBe('100')
    // The user's own commands have the user's umask.
    const own = await runAfter(`umask ${mask}`, project.dir, ['run', '--', 'sh', '-c', 'umask'])
    expect(Number.parseInt(own.stdout, 8)).toBe(Number.parseInt(mask, 8))
    const open = execFileSync(
      'find',
      [home.stateDir, '!', '-type', 'l', '-perm', '/022', '!', '-path', '*/postgres/*'],
      { encoding: 'utf8' },
    )
    expect(open).toBe('')
  },
)

test('umask 077 for a user who is not root', async () => {
  await using home = makeHome({ warm: false })
  await using project = await makeProject(files)
  chownSync(home.dir, nobody, nobody)
  execFileSync('chown', ['-R', `${nobody}:${nobody}`, project.dir])
  const env = { NO_COLOR: '1', PG_BRANCH_HOME: home.dir, HOME: home.dir, PATH: process.env.PATH }
  const result = await runAfter('umask 077', project.dir, run, { uid: nobody, gid: nobody, env, extendEnv: false })
  expect(result.stdout, result.all).toBe('100')
})

test('too few descriptors are an error that says so at once', async () => {
  await using _home = makeHome()
  await using project = await makeProject(files)
  const result = await runAfter('ulimit -n 64', project.dir, ['up'])
  expect(result.exitCode).not.toBe(0)
  expect(result.all).toMatch(/64 (open files|descriptors)|ulimit -n/)
  expect(result.all).not.toMatch(/did not start within/)
})

test.each([
  'back\\slash',
  'new\nline',
  "quo'te",
  'dou"ble',
  '$(echo x)',
  'ein Leerzeichen',
  'ü*?[a]{b}',
  'a:b',
  '-dash',
  '%20',
])('a project in a directory that is called %j', async (name) => {
  await using _home = makeHome()
  await using project = await makeProject()
  const dir = join(project.dir, name)
  mkdirSync(join(dir, 'migrations'), { recursive: true })
  writeFileSync(join(dir, 'migrations/1.sql'), usersTable)
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
  await using branch = await leaseBranch(dir)
  expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
})
