import { existsSync } from 'node:fs'
import { appendFile, chmod, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { findBuilds, leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'
import { makeVolume, smallestVolumeMb, type FileSystem } from '../support/volumes.ts'

const onVolume = (path: string, rest = '') =>
  `export default { volume: { path: '${path}' }, ${rest} seed: { kind: 'sql', globs: ['migrations/*.sql'] } }`

describe.each<[FileSystem, string]>([
  ['btrfs', 'btrfs'],
  ['xfs', 'reflink'],
  ['ext4', 'copy'],
  ['tmpfs', 'copy'],
])('on %s', (fileSystem, driver) => {
  test('branches work, in the driver that is best there, and the disk is as empty afterwards as before', async () => {
    await using volume = await makeVolume(fileSystem)
    await using project = await makeProject({
      'pg-branch.config.mjs': onVolume(volume.path),
      'migrations/1.sql': usersTable,
    })
    await using home = makeHome()
    for (let round = 0; round < 6; round += 1) {
      await using branch = await leaseBranch(project.dir)
      expect(await branch.query("INSERT INTO users (name) VALUES ('x') RETURNING id")).toEqual([{ id: 101 }])
      await branch.connection.call.release({ leaseId: branch.leaseId })
    }
    await using branch = await leaseBranch(project.dir)
    const { projects } = await branch.connection.call.status()
    expect(projects[0]?.volume).toBe(`${driver} on ${volume.path}`)
    branch.connection.close()
    expect(await home.end()).toEqual([])
  })
})

test('a disk that fills up while building: a clear error, nothing left, and it works once there is room', async () => {
  await using volume = await makeVolume('ext4', smallestVolumeMb)
  await using project = await makeProject({
    'pg-branch.config.mjs': onVolume(volume.path),
    'migrations/1.sql':
      'CREATE TABLE t (x text); INSERT INTO t SELECT repeat(md5(n::text), 60) FROM generate_series(1, 400000) AS n;',
  })
  await using home = makeHome()
  await expect(leaseBranch(project.dir)).rejects.toThrow(/No space left on device|no space left/)
  const place = (await readdir(volume.path)).find((name) => name.startsWith('pg-branch-'))
  const builds = join(volume.path, place ?? '', 'builds')
  for (const generation of await readdir(builds))
    expect((await readdir(join(builds, generation))).filter((name) => name !== 'owner.json')).toEqual([])
  await project.write({ 'migrations/1.sql': usersTable })
  await using branch = await leaseBranch(project.dir)
  expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  branch.connection.close()
  expect(await home.end()).toEqual([])
})

test('a disk that fills up while forking: a clear error, and it works once there is room', async () => {
  await using volume = await makeVolume('ext4', smallestVolumeMb)
  await using project = await makeProject({
    'pg-branch.config.mjs': onVolume(volume.path, 'pool: { size: 1 },'),
    'migrations/1.sql': usersTable,
  })
  await using home = makeHome()
  const first = await leaseBranch(project.dir)
  const filler = join(volume.path, 'filler')
  await execa('sh', ['-c', `dd if=/dev/zero of=${filler} bs=1M`], { reject: false })
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => leaseBranch(project.dir)))
  const leases = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failure: unknown = outcomes.find((outcome) => outcome.status === 'rejected')?.reason
  expect(String(failure)).toMatch(/no space left on the volume.*\n.*PGB_DISK_FULL/s)
  await rm(filler)
  await using branch = await leaseBranch(project.dir)
  expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  for (const each of [first, ...leases, branch]) each.connection.close()
  expect(await home.end()).toEqual([])
})

test('a cache damaged at random is noticed, said, and built again', async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  const damages: Array<(file: string) => Promise<unknown>> = [
    (file) => truncate(file, 1),
    (file) => rm(file),
    (file) => appendFile(file, 'x'),
    (file) => writeFile(file, 'garbage'),
  ]
  const firstBranch = await leaseBranch(project.dir)
  firstBranch.connection.close()
  for (const damage of [...damages, 'manifest' as const]) {
    expect(await home.end()).toEqual([])
    const templates = join(home.stateDir, 'templates')
    for (const key of await readdir(templates)) {
      if (damage === 'manifest') {
        await writeFile(join(templates, key, 'template.json'), '{ "half": ')
        continue
      }
      const { stdout } = await execa('find', [join(templates, key, 'data'), '-type', 'f', '-size', '+1k'])
      const files = stdout.split('\n')
      await damage(files[Math.floor(Math.random() * files.length)] ?? '')
    }
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
    expect(findBuilds(branch.progress)).toMatchObject([
      { why: expect.stringMatching(/^the cached template \w{8} was damaged: /) as string },
    ])
    branch.connection.close()
  }
})

test('a cache that cannot be written to is a clear error', async () => {
  await using volume = await makeVolume('ext4', smallestVolumeMb)
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  await execa('mount', ['-o', 'remount,ro', volume.path])
  process.env.PG_BRANCH_HOME = join(volume.path, 'home')
  await expect(leaseBranch(project.dir)).rejects.toThrow(
    /cannot make the directory .*\n.*Set PG_BRANCH_HOME to a directory that you can write to/,
  )
  expect(existsSync(join(volume.path, 'home'))).toBe(false)
  // A file in the way is the same kind of mistake.
  await using home = makeHome()
  await writeFile(join(home.dir, 'file'), '')
  process.env.PG_BRANCH_HOME = join(home.dir, 'file')
  await expect(leaseBranch(project.dir)).rejects.toThrow(/PGB_HOME_UNUSABLE/)
  process.env.PG_BRANCH_HOME = home.dir
  await chmod(join(home.dir, 'file'), 0o600)
})

test('ports that others hold are stepped over', async () => {
  await using _home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  const servers = await Promise.all(
    Array.from(
      { length: 2_000 },
      (_, index) =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer()
          server.once('error', () => resolve(server))
          server.listen(20_000 + index * 6, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  try {
    for (let round = 0; round < 5; round += 1) {
      await using branch = await leaseBranch(project.dir)
      expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
      branch.connection.close()
    }
  } finally {
    for (const server of servers) server.close()
  }
})
