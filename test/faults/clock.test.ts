import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connectSupervisor, leaseBranch } from '../support/branch.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeClock } from '../support/clock.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

const config = (seed: string) =>
  `export default { keep: { forMs: 3_600_000 }, seed: [{ kind: 'sql', globs: ['${seed}/*.sql'] }] }`
const files = {
  'migrations/1.sql': usersTable,
  'others/1.sql': 'CREATE TABLE other (n int)',
  'pg-branch.config.mjs': config('migrations'),
}

const countKept = async (dir: string, env: NodeJS.ProcessEnv) =>
  (await runJson<{ kept: unknown[] }>(dir, ['status'], env)).kept.length
const listNames = async (dir: string, env: NodeJS.ProcessEnv) =>
  (await runJson<Array<{ name: string }>>(dir, ['branch', 'ls'], env)).map(({ name }) => name).sort()

test('the clock is put forwards: what has a time goes when it is over by the new clock, and nothing else', async () => {
  using clock = await makeClock()
  await using home = makeHome()
  await using project = await makeProject(files)
  const run = (...args: string[]) => runCli(project.dir, args, { env: clock.env })
  expect((await run('branch', 'create', 'lasting', '--ttl', 'never')).exitCode).toBe(0)
  expect((await run('branch', 'create', 'short', '--ttl', '1h')).exitCode).toBe(0)
  {
    await using failed = await leaseBranch(project.dir)
    await failed.connection.call.release({ leaseId: failed.leaseId, failed: 'a test' })
  }
  await using leased = await leaseBranch(project.dir)
  expect(await countKept(project.dir, clock.env)).toBe(1)

  clock.set('+50m')
  await sleep(12_000)
  expect(await countKept(project.dir, clock.env)).toBe(1)
  expect(await listNames(project.dir, clock.env)).toEqual(['lasting', 'short'])

  clock.set('+2h')
  await expect.poll(() => listNames(project.dir, clock.env), { timeout: 30_000, interval: 500 }).toEqual(['lasting'])
  expect(await countKept(project.dir, clock.env)).toBe(0)
  expect(await leased.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  expect(home.supervisorPid()).toBeDefined()
})

test('the clock is put backwards: nothing waits for it, and nothing is lost', async () => {
  using clock = await makeClock()
  await using home = makeHome()
  await using project = await makeProject(files)
  const run = (...args: string[]) => runCli(project.dir, args, { env: clock.env })
  clock.set('+3d')
  expect((await run('branch', 'create', 'dev', '--ttl', '1h')).exitCode).toBe(0)
  await using leased = await leaseBranch(project.dir, { scope: 'test' })

  clock.set('-1d')
  await leased.query('CREATE TABLE mine (n int)')
  await leased.connection.call.reset({ leaseId: leased.leaseId })
  expect(await leased.query("SELECT to_regclass('mine') AS mine")).toEqual([{ mine: null }])
  expect(await listNames(project.dir, clock.env)).toEqual(['dev'])
  expect((await run('branch', 'snapshot', 'dev', 'one')).all).toContain('one')
  await project.write({ 'pg-branch.config.mjs': config('others') })
  const built = await run('template', 'build')
  expect(built.exitCode, built.all).toBe(0)

  // The next supervisor finds claims, generations and records of a time to come.
  const pid = home.supervisorPid()
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  const again = await run('branch', 'create', 'next')
  expect(again.exitCode, again.all).toBe(0)
  const connection = await connectSupervisor({ start: false })
  connection.close()
  expect((await run('gc', '--dry-run')).exitCode).toBe(0)
})
