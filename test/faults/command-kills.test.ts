import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, test } from 'vitest'
import { connectSupervisor, leaseBranch } from '../support/branch.ts'
import { runCli } from '../support/cli.ts'
import { makeHome, settle, type TestHome } from '../support/home.ts'
import { armKill, oneThread } from '../support/kill-at.ts'
import { readStat } from '../support/processes.ts'
import { makeProject, type TestProject } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'

const files = {
  'migrations/1.sql': `CREATE TABLE t (n int, x text); INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 20000) n;
    CREATE UNLOGGED TABLE u (n int); INSERT INTO u SELECT generate_series(1, 100);`,
}

/**
 * Tries `round` with one step after the other to die at, until there are no more; the long form tries each.
 *
 * @param round answers whether something died.
 * @param options.hasSteps whether there is at least one.
 */
async function killAtSteps(
  round: (nth: number) => Promise<boolean>,
  { hasSteps = true }: { hasSteps?: boolean } = {},
): Promise<void> {
  const isLong = countRounds(1) > 1
  let kills = 0
  for (let nth = 1; await round(nth); nth = isLong ? nth + 1 : nth * 3) kills += 1
  if (hasSteps) expect(kills).toBeGreaterThan(0)
}

/**
 * Runs a command whose supervisor, or a process that works for it, is killed at its `nth` step.
 *
 * @returns whether one was: there may be fewer steps.
 */
async function runAndKill(home: TestHome, dir: string, args: string[], nth: number): Promise<boolean> {
  const kill = await armKill(home.supervisorPid() ?? 0, nth)
  const { all, exitCode } = await runCli(dir, args, { env: oneThread })
  const isSupervisorKilled = await kill.disarm()
  expect(all).not.toMatch(/\n {4}at /)
  if (exitCode !== 0) expect(all).toMatch(/\[PGB_/)
  // One that died before the command had found it was followed by another, which did what was asked.
  if (isSupervisorKilled && home.supervisorPid() === undefined) {
    expect(await settle(() => home.findLeftovers().filter(isProcess), 10_000)).toEqual([])
  }
  return isSupervisorKilled || exitCode !== 0
}

const isProcess = (item: string) => item.startsWith('process')

async function change(project: TestProject): Promise<void> {
  const { stdout } = await runCli(project.dir, ['branch', 'url', 'dev'])
  const client = new pg.Client(stdout)
  await client.connect()
  await client.query('DELETE FROM t WHERE n % 2 = 0')
  await client.end()
}

async function expectWhole(project: TestProject): Promise<void> {
  await using branch = await leaseBranch(project.dir)
  expect(await branch.query('SELECT count(*)::int AS n, (SELECT count(*)::int FROM u) AS u FROM t')).toEqual([
    { n: 20_000, u: 100 },
  ])
}

test.each([
  ['branch', 'snapshot', 'dev', 'next'],
  ['branch', 'restore', 'dev', 'one'],
  ['branch', 'fork', 'dev@one', 'other'],
  ['branch', 'diff', 'dev@one', 'dev'],
  ['branch', 'rm', 'dev'],
])('the supervisor dies at each step of `%s %s`: nothing is left, and the next one works', async (...args) => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const run = async (...words: string[]) =>
    expect(await runCli(project.dir, words, { env: oneThread })).toMatchObject({ exitCode: 0 })
  // A restore may find a branch that is ready, and then does nothing to any file.
  const hasSteps = args[1] !== 'restore'
  await killAtSteps(
    async (nth) => {
      await run('branch', 'create', 'dev')
      await run('branch', 'snapshot', 'dev', 'one')
      // Nothing is copied of a branch in which nothing was changed.
      await change(project)
      return runAndKill(home, project.dir, args, nth)
    },
    { hasSteps },
  )
  await expectWhole(project)
  expect(await home.end()).toEqual([])
})

test('the supervisor dies at each step of a push: the store is whole after the next', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const run = (...words: string[]) => runCli(project.dir, words, { env: oneThread })
  await killAtSteps(async (nth) => {
    const store = `store-${nth}`
    expect((await run('template', 'build')).exitCode).toBe(0)
    const isKilled = await runAndKill(home, project.dir, ['template', 'push', store], nth)
    const again = await run('template', 'push', store)
    expect(again.exitCode, again.all).toBe(0)
    expect(
      readdirSync(join(project.dir, store), { recursive: true }).filter((name) => /tmp/.test(String(name))),
    ).toEqual([])
    return isKilled
  })
  expect(await home.end()).toEqual([])
})

test('the supervisor dies at each step of a pull: what was fetched is used whole, or fetched again', async () => {
  await using project = await makeProject(files)
  const run = (...words: string[]) => runCli(project.dir, words, { env: oneThread })
  {
    await using _home = makeHome()
    expect((await run('template', 'push', 'store')).exitCode).toBe(0)
  }
  await killAtSteps(async (nth) => {
    await using home = makeHome()
    const connection = await connectSupervisor()
    await expect.poll(() => home.supervisorPid()).toBeDefined()
    const isKilled = await runAndKill(home, project.dir, ['template', 'pull', 'store'], nth)
    connection.close()
    const again = await run('template', 'pull', 'store')
    expect(again.exitCode, again.all).toBe(0)
    await expectWhole(project)
    expect(readdirSync(join(home.stateDir, 'templates')).filter((name) => !/^[0-9a-f]{32}$/.test(name))).toEqual([])
    expect(await home.end()).toEqual([])
    return isKilled
  })
})

test('a branch that is kept for thirty days costs nothing until then', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    ...files,
    'pg-branch.config.mjs': `export default { keep: { forMs: ${30 * 24 * 3_600_000} }, seed: [{ kind: 'sql', globs: ['migrations/*.sql'] }] }`,
  })
  const branch = await leaseBranch(project.dir)
  await branch.connection.call.release({ leaseId: branch.leaseId, failed: 'a test' })
  branch.connection.close()
  const { stdout } = await runCli(project.dir, ['status', '--json'])
  expect((JSON.parse(stdout) as { kept: unknown[] }).kept).toHaveLength(1)
  await sleep(2_000)
  const before = readCpuTicks(home)
  await sleep(3_000)
  // A hundred ticks are a second.
  expect(readCpuTicks(home) - before).toBeLessThan(60)
})

function readCpuTicks(home: TestHome): number {
  const fields = readStat(home.supervisorPid() ?? 0)
  return Number(fields[11]) + Number(fields[12])
}
