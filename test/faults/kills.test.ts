import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connectSupervisor, leaseBranch } from '../support/branch.ts'
import { makeHome, settle, type TestHome } from '../support/home.ts'
import { findPids, listPids, readProcess } from '../support/processes.ts'
import { makeProject, oneLineConfig, queryTest, usersTable } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'

const slowTest = `import pg from 'pg'
import { writeFileSync } from 'node:fs'
import { test } from 'vitest'
test('takes its time', async () => {
  const client = new pg.Client()
  client.on('error', () => {})
  await client.connect()
  writeFileSync('started', String(process.pid))
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}, 90_000)
`

/** Branches that are leased or kept: the pool's own ready ones are not leftovers while the supervisor lives. */
async function countLeases(): Promise<number> {
  const connection = await connectSupervisor({ start: false })
  const { projects } = await connection.call.status()
  connection.close()
  return projects.reduce((sum, { leases }) => sum + leases, 0)
}

async function waitForFile(path: string): Promise<string> {
  for (;;) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text !== '') return text
    } catch {
      // Not yet.
    }
    await sleep(50)
  }
}

test('SIGKILL of a worker: its branch is reclaimed, the run goes on', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': usersTable,
    'slow.test.ts': slowTest,
  })
  const run = project.vitest()
  const pid = Number(await waitForFile(`${project.dir}/started`))
  expect(await countLeases()).toBe(1)
  process.kill(pid, 'SIGKILL')
  expect((await run).exitCode).toBe(1)
  await expect.poll(countLeases, { timeout: 5_000 }).toBe(0)
})

test('SIGKILL of the runner: nothing is leased once its workers are gone', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': usersTable,
    'slow.test.ts': slowTest,
  })
  // Threads die with their process; forks of Vitest 4 run their file to its end (see RUNNERS.md).
  const run = project.vitest(['run', '--pool=threads'])
  await waitForFile(`${project.dir}/started`)
  expect(await countLeases()).toBe(1)
  run.kill('SIGKILL')
  await run
  await expect.poll(countLeases, { timeout: 5_000 }).toBe(0)
})

test('SIGKILL of the supervisor: servers and data are gone by themselves within seconds, and the next run works', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': usersTable,
    'a.test.ts': queryTest('works', ['SELECT count(*)::int FROM users'], 100),
  })
  const branch = await leaseBranch(project.dir)
  expect(home.findLeftovers().length).toBeGreaterThan(0)
  process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
  await expect(branch.connection.call.status()).rejects.toThrow(/supervisor ended/)
  expect(await settle(() => home.findLeftovers())).toEqual([])
  const { exitCode, all } = await project.vitest()
  expect(exitCode, String(all)).toBe(0)
})

test('SIGKILL of supervisor and guardian: the next start cleans up', async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  await leaseBranch(project.dir)
  // The directory in memory itself is used again by the next supervisor.
  const old = home
    .findLeftovers()
    .filter((item) => /^directory .*\/[0-9a-f]{12}$/.test(item) && !/^directory \/dev\/shm\/[^/]+$/.test(item))
  expect(old.length).toBeGreaterThan(0)
  for (const pid of findGuardians(home)) process.kill(pid, 'SIGKILL')
  process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
  await sleep(500)
  expect(home.findLeftovers().some((item) => /postgres -D/.test(item))).toBe(true)
  await using branch = await leaseBranch(project.dir)
  expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  expect(await settle(() => home.findLeftovers().filter((item) => old.includes(item)))).toEqual([])
})

const findGuardians = (home: TestHome): number[] =>
  findPids(
    (pid) =>
      readProcess(pid, 'cmdline').includes('reaper-main') &&
      readProcess(pid, 'environ').includes(`PG_BRANCH_HOME=${home.dir}\0`),
  )

test('SIGKILL of the supervisor at random points of a build: never half a template', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'migrations/1.sql': 'CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 20000);',
    'pg-branch.config.ts': `import { command, sql } from 'pg-branch'
export default { seed: [sql('migrations/1.sql'), command('sleep 0.2; node add.mjs', { inputs: ['add.mjs'] }), async ({ client }) => { await client.query('INSERT INTO t SELECT generate_series(1, 20000)') }] }`,
    'add.mjs': `import pg from 'pg'; const c = new pg.Client(); await c.connect(); await c.query('INSERT INTO t SELECT generate_series(1, 20000)'); await c.end()`,
  })
  for (let round = 0; round < countRounds(5); round += 1) {
    // Another seed each time, so that there is something to build.
    await project.write({
      'migrations/1.sql': `CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 20000); -- ${round}`,
    })
    const lease = leaseBranch(project.dir)
    const outcome = lease.then(
      (branch) => branch.connection.close(),
      () => {},
    )
    await sleep(300 + Math.random() * 3_000)
    const pid = home.supervisorPid()
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    await outcome
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 60_000 }])
  }
  expect(await home.end()).toEqual([])
}, 600_000)

test('the user’s own commands die with a killed build', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': `import { command } from 'pg-branch'\nexport default { seed: command('echo $$ > pid; sleep 300') }`,
  })
  const outcome = leaseBranch(project.dir).catch((error: unknown) => error)
  const pid = Number(await waitForFile(`${project.dir}/pid`))
  process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
  expect(String(await outcome)).toMatch(/supervisor ended/)
  await expect.poll(() => listPids().includes(pid), { timeout: 5_000 }).toBe(false)
})
