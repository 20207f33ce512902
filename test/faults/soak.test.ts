import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeHome, type TestHome } from '../support/home.ts'
import { findPids, readStat } from '../support/processes.ts'
import { makeProject, oneLineConfig, queryTest, usersTable } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'

const busyTest = (file: number) => `import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ max: 3 })
pool.on('error', () => {})
afterAll(() => pool.end())
test.each([1, 2, 3, 4, 5])('writes a little, and sees nobody else %s', async (n) => {
  await pool.query('INSERT INTO users (name) VALUES ($1)', ['${file} ' + n])
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect((await pool.query('SELECT count(*)::int AS n FROM users')).rows[0].n).toBe(100 + n)
})
`

type Victim = 'runner' | 'interrupted' | 'worker' | 'supervisor' | 'nobody'
/** The worker is the last: a Vitest whose worker dies while it starts waits for a minute before it says so. */
const victims: Victim[] = ['runner', 'interrupted', 'supervisor', 'nobody', 'runner', 'worker']

test('runs that are killed in every way, one after another: the next is green, and nothing grows', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    'vitest.config.ts': oneLineConfig,
    'migrations/1.sql': usersTable,
    ...Object.fromEntries([1, 2, 3, 4].map((file) => [`${file}.test.ts`, busyTest(file)])),
    'whole.test.ts': queryTest('sees the seed', ['SELECT count(*)::int FROM users'], 100),
  })
  const whole = ['run', 'whole.test.ts']
  const first = await project.vitest(whole)
  expect(first.exitCode, String(first.all)).toBe(0)
  let before = measure(home)
  for (let round = 0; round < countRounds(5); round += 1) {
    const victim = victims[round % victims.length] ?? 'nobody'
    const run = project.vitest(['run'])
    if (victim !== 'nobody') await sleep(500 + Math.random() * 3_000)
    kill(home, victim, run)
    const { exitCode, all } = await run
    if (victim === 'nobody') expect(exitCode, String(all)).toBe(0)
    const next = await project.vitest(whole)
    expect(next.exitCode, `after ${victim}:\n${String(next.all)}`).toBe(0)
    // A supervisor that was killed takes its measure along.
    if (measure(home).pid !== before.pid) before = measure(home)
  }
  // Forks of a killed Vitest run their file to its end (see RUNNERS.md), and hold their branch until then.
  await expect.poll(() => measure(home).descriptors, { timeout: 10_000 }).toBeLessThan(before.descriptors + 20)
  expect(measure(home).bytes).toBeLessThan(before.bytes + 150 * 2 ** 20)
  expect(await home.end()).toEqual([])
})

function kill(
  home: TestHome,
  victim: Victim,
  run: { pid?: number | undefined; kill(signal: 'SIGKILL' | 'SIGINT'): boolean },
): void {
  if (victim === 'runner') run.kill('SIGKILL')
  if (victim === 'interrupted') run.kill('SIGINT')
  const pid = victim === 'supervisor' ? home.supervisorPid() : victim === 'worker' ? findChild(run.pid) : undefined
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

/** @returns any child of a process. */
function findChild(parent: number | undefined): number | undefined {
  return findPids((pid) => Number(readStat(pid)[1]) === parent)[0]
}

/** What the supervisor takes. */
function measure(home: TestHome): { pid: number; descriptors: number; bytes: number } {
  const pid = home.supervisorPid() ?? 0
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return { pid, descriptors: readdirSync(`/proc/${pid}/fd`).length, bytes: pages * 4096 }
}
