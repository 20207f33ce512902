import { chmodSync, chownSync, existsSync, mkdirSync, statSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'
import { makeVolume } from '../support/volumes.ts'

const nobody = 65_534
const run = (args: string[], env = {}) => execa(process.execPath, [cliFile, ...args], { reject: false, env })

test('volume create, status, remove: the next run uses it, and all is gone afterwards', async () => {
  // Installs btrfs-progs where they are missing.
  await using _btrfs = await makeVolume('btrfs')
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  expect((await run(['volume', 'status'])).stdout).toMatch(
    /no managed volume .* make one with: pg-branch volume create/,
  )
  const before = await leaseBranch(project.dir)
  expect((await before.connection.call.status()).projects[0]?.volume).toMatch(/^copy on/)
  before.connection.close()
  const created = await run(['volume', 'create', '--size', '2G', '--json'])
  try {
    expect(JSON.parse(created.stdout)).toMatchObject({ exists: true, mounted: true, sizeBytes: 2 * 1024 ** 3 })
    expect((await run(['volume', 'create'])).exitCode).toBe(0)
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
    expect((await branch.connection.call.status()).projects[0]?.volume).toBe(`btrfs on ${home.dir}/volume`)
    // It grows while it is in use.
    expect(JSON.parse((await run(['volume', 'grow', '3G', '--json'])).stdout)).toMatchObject({
      sizeBytes: 3 * 1024 ** 3,
    })
    expect(statfsSync(join(home.dir, 'volume')).blocks * 4096).toBe(3 * 1024 ** 3)
    expect((await run(['volume', 'grow', '1G'])).stderr).toContain('it cannot be made smaller')
    // Still in use: it is let go of first.
    expect((await run(['volume', 'remove'])).stdout).toBe('removed')
  } finally {
    if (existsSync(join(home.dir, 'volume.img'))) await run(['volume', 'remove'])
  }
  expect(existsSync(join(home.dir, 'volume'))).toBe(false)
  expect((await run(['volume', 'remove'])).stdout).toMatch(/^there was none/)
})

test('with sudo it belongs to the user, for whom everything then works without root', async () => {
  await using _btrfs = await makeVolume('btrfs')
  await using home = makeHome({ warm: false })
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  chmodSync(project.dir, 0o755)
  const userHome = join(home.dir, 'user')
  mkdirSync(userHome)
  chownSync(userHome, nobody, nobody)
  const env = { PG_BRANCH_HOME: join(userHome, 'cache/pg-branch'), SUDO_UID: String(nobody), SUDO_GID: String(nobody) }
  const created = await run(['volume', 'create', '--size', '2G'], env)
  expect(created.exitCode, created.stderr).toBe(0)
  try {
    expect(statSync(join(env.PG_BRANCH_HOME, 'volume')).uid).toBe(nobody)
    expect(statSync(env.PG_BRANCH_HOME).uid).toBe(nobody)
    const script = `
      import { connectSupervisor, withSentinel } from 'pg-branch/client'
      import pg from 'pg'
      for (let round = 0; round < 5; round += 1) {
        const connection = await connectSupervisor()
        const { variables } = await connection.call.lease({ rootDir: process.cwd(), options: {}, env: withSentinel(process.env), withheld: {}, scope: 'file', runId: '1', holder: 'x' })
        const client = new pg.Client(variables.DATABASE_URL)
        await client.connect()
        console.log((await client.query('DELETE FROM users')).rowCount)
        await client.end()
        connection.close()
      }
      const connection = await connectSupervisor()
      console.log((await connection.call.status()).projects[0].volume)
      process.exit()
    `
    const user = {
      uid: nobody,
      gid: nobody,
      cwd: project.dir,
      env: { PG_BRANCH_HOME: env.PG_BRANCH_HOME, HOME: userHome },
    }
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script], user)
    expect(stdout.split('\n')).toEqual(['100', '100', '100', '100', '100', `btrfs on ${env.PG_BRANCH_HOME}/volume`])
    expect((await execa(process.execPath, [cliFile, 'down'], user)).stdout).toBe('stopped')
    expect((await execa(process.execPath, [cliFile, 'volume', 'remove'], { ...user, reject: false })).stderr).toMatch(
      /needs root/,
    )
  } finally {
    await run(['volume', 'remove'], env)
  }
})

test.each([
  [['volume', 'create', '--size', 'huge'], 1, /--size is "huge"/],
  [['volume', 'create', '--size', '1M'], 1, /Give a size of at least 256M/],
  [['nonsense'], 1, /Unknown command/],
  [['volume', 'explode'], 1, /Unknown command/],
])('%s exits with %i', async (args, exitCode, message) => {
  await using _home = makeHome()
  const result = await run(args)
  expect(result.exitCode).toBe(exitCode)
  expect(result.stderr).toMatch(message)
  expect(result.stdout).toBe('')
})

test('--help and --version', async () => {
  await using _home = makeHome()
  expect((await run(['--help'])).stdout).toMatch(/volume[\s\S]*status[\s\S]*down/)
  expect((await run(['volume', 'create', '--help'])).stdout).toMatch(/--size/)
  expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+$/)
  expect((await run(['status'])).stdout).toBe('nothing is running')
  expect((await run(['down'])).stdout).toBe('nothing was running')
})
