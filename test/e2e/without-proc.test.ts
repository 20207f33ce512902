import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, oneLineConfig, queryTest, usersTable } from '../support/project.ts'

// What macOS has not: /proc and /dev/shm are hidden from pg-branch, its supervisor and its servers. ps(1), which works
// without them there, looks at a /proc of its own.

const ps = `#!/bin/sh
exec unshare -m sh -c 'mount -t proc proc /proc && exec /usr/bin/ps "$@"' ps "$@"
`
const hide = 'mount -t tmpfs none /proc && mount -t tmpfs none /dev/shm && exec "$@"'

// In two parts, or the outer Vitest would take it for a comment of this file.
const tag = ['@vitest', 'environment-options'].join('-')

test('without /proc and /dev/shm: runs, resets, named branches, a killed supervisor', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': usersTable,
    'a.test.ts': queryTest('sees the seed', ['SELECT count(*)::int FROM users'], 100),
    'b.test.ts': `import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool()
afterAll(() => pool.end())
test.each([1, 2, 3])('is fresh %s', async () => {
  expect((await pool.query('DELETE FROM users')).rowCount).toBe(100)
})`.replace('import pg', `// ${tag} {"scope":"test"}\nimport pg`),
  })
  const bin = join(project.dir, 'bin')
  await project.write({ 'bin/ps': ps })
  chmodSync(join(bin, 'ps'), 0o755)
  const run = async (args: string[]) => {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
    const result = await execa('unshare', ['-m', 'sh', '-c', hide, 'sh', process.execPath, ...args], {
      cwd: project.dir,
      env,
      all: true,
      reject: false,
    })
    expect(result.exitCode, result.all).toBe(0)
    return result.all
  }
  const cli = (...args: string[]) => run([cliFile, ...args])
  const vitest = () => run([join(project.dir, 'node_modules/vitest/vitest.mjs'), 'run'])
  expect(await vitest()).toMatch(/4 passed/)
  expect(await cli('status')).not.toMatch(/in memory/)
  await cli('branch', 'create', 'dev')
  await cli('branch', 'snapshot', 'dev', 'one')
  writeFileSync(join(project.dir, 'break.sql'), 'DELETE FROM users')
  await cli('branch', 'psql', 'dev', '--', '-f', 'break.sql')
  expect(await cli('branch', 'restore', 'dev', 'one')).toMatch(/one/)
  expect(await cli('branch', 'diff', 'dev@one', 'dev', '--exit-code')).not.toMatch(/users/)
  process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
  await expect.poll(() => home.findLeftovers(), { timeout: 20_000 }).toEqual([])
  expect(await vitest()).toMatch(/4 passed/)
  await cli('down')
  expect(await home.end()).toEqual([])
})
