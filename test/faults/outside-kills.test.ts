import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { runCli } from '../support/cli.ts'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'
import { makeServer } from '../support/server.ts'
import { makeVolume } from '../support/volumes.ts'

// What is made outside of the home, where no reaper finds it by its place: on the user's server, and mounts.

test('the supervisor dies while it works on a server of the user’s: the next one removes what is left there', async () => {
  await using server = await makeServer()
  await server.query('CREATE DATABASE dev')
  await using home = makeHome()
  await using project = await makeProject({
    'migrations/1.sql': usersTable,
    'pg-branch.config.mjs': `export default { server: process.env.ADMIN_URL, seed: [{ kind: 'sql', globs: ['migrations/*.sql'] }] }`,
  })
  const env = { ADMIN_URL: server.url }
  const commands = [
    ['template', 'build'],
    ['branch', 'create', 'dev'],
    ['branch', 'snapshot', 'dev', 'one'],
  ]
  for (let round = 0; round < countRounds(6); round += 1) {
    // Each round builds anew.
    await project.write({ 'migrations/1.sql': `${usersTable}; CREATE TABLE round_${round} (n int)` })
    const running = (async () => {
      for (const command of commands) await runCli(project.dir, command, { env })
    })()
    await sleep(300 + Math.random() * 2_000)
    const pid = home.supervisorPid()
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    await running
  }
  {
    await using branch = await leaseBranch(project.dir, { env, withheld: env })
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  }
  expect(await home.end()).toEqual([])
  const names = await server.listDatabases()
  expect(names).toContain('dev')
  expect(names.filter((name) => !/^(dev$|pgb_template_)/.test(name))).toEqual([])
  // Every template that is there is whole: none that was begun is taken for one.
  const rows = await server.query(
    `SELECT datname FROM pg_database WHERE datname LIKE 'pgb_template_%' AND (NOT datistemplate OR datallowconn)`,
  )
  expect(rows).toEqual([])
})

test('`volume create` dies at any moment: it is made by the next, and removed without a trace', async () => {
  await using _btrfs = await makeVolume('btrfs')
  await using home = makeHome()
  const mounts = () =>
    readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(home.dir))
  for (let round = 0; round < countRounds(6); round += 1) {
    const running = execa(process.execPath, [cliFile, 'volume', 'create', '--size', '1G'], { reject: false })
    await sleep(150 + Math.random() * 700)
    running.kill('SIGKILL')
    await running
    const again = await runCli(home.dir, ['volume', 'create', '--size', '1G'])
    expect(again.exitCode, again.all).toBe(0)
    expect(mounts()).toHaveLength(1)
    const removed = await runCli(home.dir, ['volume', 'remove'])
    expect(removed.exitCode, removed.all).toBe(0)
    expect(mounts()).toEqual([])
    expect(existsSync(join(home.dir, 'volume.img'))).toBe(false)
    const { stdout } = await execa('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])
    expect(stdout).not.toContain(home.dir)
  }
})
