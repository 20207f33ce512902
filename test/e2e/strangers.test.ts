import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'
import { setSymlinkProtection, symlinkProtections } from '../support/symlink-protection.ts'
import { makeStrangersDir, startAsStranger, stranger } from '../support/stranger.ts'

// Each of these was a way in, or a way to other people's files, once.

const files = { 'migrations/1.sql': usersTable }

describe.each(symlinkProtections)('only places of this user’s own (fs.protected_symlinks = %s)', (protection) => {
  beforeEach(() => setSymlinkProtection(protection))
  test.each<[string, (dir: string) => string, RegExp]>([
    [
      'belongs to somebody else',
      (dir) => {
        chownSync(dir, stranger.uid, stranger.gid)
        return dir
      },
      /belongs to the user 47611/,
    ],
    [
      'can be written to by all',
      (dir) => {
        mkdirSync(join(dir, 'home'))
        chmodSync(join(dir, 'home'), 0o777)
        return join(dir, 'home')
      },
      /home can be written to by other users/,
    ],
    [
      'is below what belongs to somebody else',
      (dir) => {
        mkdirSync(join(dir, 'theirs/home'), { recursive: true })
        chownSync(join(dir, 'theirs'), stranger.uid, stranger.gid)
        return join(dir, 'theirs/home')
      },
      /theirs belongs to the user 47611/,
    ],
    [
      'is a link',
      (dir) => {
        mkdirSync(join(dir, 'real'))
        symlinkSync(join(dir, 'real'), join(dir, 'home'))
        chownSync(join(dir, 'real'), stranger.uid, stranger.gid)
        return join(dir, 'home')
      },
      /real belongs to the user 47611/,
    ],
  ])('a home that %s is refused by name, and nothing is made in it', async (_title, prepare, problem) => {
    const dir = mkdtempSync(join(tmpdir(), 'pgb-home-'))
    chmodSync(dir, 0o755)
    try {
      await using project = await makeProject(files)
      const home = prepare(dir)
      const before = execFileSync('find', [dir], { encoding: 'utf8' })
      for (const args of [['up'], ['status'], ['run', '--', 'true'], ['doctor']]) {
        const { exitCode, all } = await runCli(project.dir, args, { env: { PG_BRANCH_HOME: home } })
        expect({ args, exitCode, all }).toMatchObject({ exitCode: 2, all: expect.stringMatching(problem) as string })
      }
      expect(execFileSync('find', [dir], { encoding: 'utf8' })).toBe(before)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  const listen = `import { createServer } from 'node:net'
    const [, path] = process.argv
    createServer((socket) => { console.log('somebody came'); socket.on('data', (data) => console.log(String(data))) })
      .listen(path, () => console.log('ready'))`

  test('a socket of somebody else is not spoken to, and does not stand in the way', async () => {
    const top = mkdtempSync(join(tmpdir(), 'pgb-home-'))
    chmodSync(top, 0o711)
    // Too long for a socket's path: it is in the temporary folder then.
    const dir = join(top, 'x'.repeat(100))
    mkdirSync(dir)
    using theirs = makeStrangersDir()
    await using listening = await startAsStranger(listen, [join(theirs.path, 'supervisor.sock')])
    {
      await using home = makeHome({ dir })
      writeFileSync(join(home.stateDir, 'socket-dir.json'), JSON.stringify({ dir: theirs.path }))
      await using project = await makeProject(files)
      {
        await using branch = await leaseBranch(project.dir, { env: { ADMIN_URL: 'postgres://secret' } })
        expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
      }
      const { dir: taken } = JSON.parse(readFileSync(join(home.stateDir, 'socket-dir.json'), 'utf8')) as { dir: string }
      expect(taken).toMatch(/\/pg-branch-\w{6}$/)
      expect(await home.end()).toEqual([])
      expect(existsSync(taken)).toBe(false)
    }
    expect(listening.output()).not.toContain('somebody came')
    rmSync(top, { recursive: true, force: true })
  })

  test('what is remembered of places is not believed: links of others to data are not followed', async () => {
    await using home = makeHome()
    await using project = await makeProject(files)
    const victim = mkdtempSync(join(tmpdir(), 'pgb-victim-'))
    mkdirSync(join(victim, 'data'))
    writeFileSync(join(victim, 'data/PG_VERSION'), '18')
    using theirs = makeStrangersDir()
    mkdirSync(join(theirs.path, 'dead'))
    symlinkSync(victim, join(theirs.path, 'dead/branch'))
    const file = join(home.stateDir, 'places.json')
    writeFileSync(file, JSON.stringify([{ path: theirs.path, driver: 'copy' }, { path: 17 }]))
    {
      await using _branch = await leaseBranch(project.dir)
    }
    const places = JSON.parse(readFileSync(file, 'utf8')) as Array<{ path: string }>
    writeFileSync(file, JSON.stringify([...places, { path: theirs.path, driver: 'copy' }]))
    expect(await runCli(project.dir, ['gc'])).toMatchObject({ exitCode: 0 })
    await runCli(project.dir, ['down'])
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
    expect(existsSync(join(victim, 'data/PG_VERSION'))).toBe(true)
    expect(existsSync(join(theirs.path, 'dead/branch'))).toBe(true)
    expect(home.readLog()).toMatch(/pgb-stranger-\w+ is left alone: .* belongs to the user 47611/)
    writeFileSync(file, JSON.stringify(places.filter(({ path }) => path !== theirs.path)))
    rmSync(victim, { recursive: true })
  })

  test('names in shared folders cannot be guessed', async () => {
    const seen = new Set<string>()
    for (let life = 0; life < 2; life += 1) {
      await using home = makeHome()
      await using project = await makeProject(files)
      await using _branch = await leaseBranch(project.dir)
      const places = JSON.parse(readFileSync(join(home.stateDir, 'places.json'), 'utf8')) as Array<{ path: string }>
      for (const { path } of places.filter((place) => place.path.startsWith('/dev/shm/'))) {
        expect(path).toMatch(/^\/dev\/shm\/pg-branch-[A-Za-z0-9]{6}$/)
        seen.add(path)
      }
    }
    expect(seen.size).toBe(2)
  })
})

test('a configuration of somebody else above the tests is not run', async () => {
  await using _home = makeHome()
  await using outer = await makeProject({ 'app/migrations/1.sql': usersTable, 'app/package.json': '{}' })
  const file = join(outer.dir, 'pg-branch.config.mjs')
  const proof = join(outer.dir, 'it-ran')
  writeFileSync(file, `import { writeFileSync } from 'node:fs'\nwriteFileSync('${proof}', '')\nexport default {}`)
  chownSync(file, stranger.uid, stranger.gid)
  const app = join(outer.dir, 'app')
  const refused = await runCli(app, ['up'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toMatch(
    /pg-branch\.config\.mjs belongs to the user 47611, so it is not run\n.*--config .*PGB_CONFIG_FOREIGN/s,
  )
  expect(existsSync(proof)).toBe(false)
  // Named, it is trusted.
  const named = await runCli(app, ['template', 'build', '--config', file])
  expect(named.exitCode, named.all).toBe(0)
  expect(existsSync(proof)).toBe(true)
})

test('a link above the tests that others can change is not followed, and a package of somebody else is none', async () => {
  await using _home = makeHome()
  await using outer = await makeProject({
    'app/migrations/1.sql': usersTable,
    'real.config.mjs': 'export default {}',
    'package.json': '{"devDependencies":{"prisma":"*"}}',
    'prisma/schema.prisma': '',
  })
  const link = join(outer.dir, 'pg-branch.config.mjs')
  symlinkSync(join(outer.dir, 'real.config.mjs'), link)
  const app = join(outer.dir, 'app')
  // Who owns the link is as good as whoever owns the file: they choose it.
  lchownSync(link, stranger.uid, stranger.gid)
  const theirs = await runCli(app, ['up'])
  expect(theirs.stderr).toMatch(/belongs to the user 47611, so it is not run/)
  lchownSync(link, 0, 0)
  chmodSync(outer.dir, 0o777)
  const open = await runCli(app, ['up'])
  expect(open.stderr).toMatch(/is a link in .*, which everybody can change, so it is not run/)
  chmodSync(outer.dir, 0o755)
  rmSync(link)
  // Without a configuration the project is where its package is: not where a stranger has put one.
  chownSync(join(outer.dir, 'package.json'), stranger.uid, stranger.gid)
  const built = await runCli(app, ['template', 'build'])
  expect(built.exitCode, built.all).toBe(0)
  expect(built.all).not.toMatch(/prisma/i)
})

describe('a store that hangs', () => {
  test('a registry that never answers costs one line; others go on, and `down` ends whatever hangs', async () => {
    await using home = makeHome()
    await using project = await makeProject(files)
    await using other = await makeProject({ 'migrations/1.sql': 'CREATE TABLE t AS SELECT 1 AS a' })
    const sockets = new Set<{ destroy(): void }>()
    const server = createServer((socket) => void sockets.add(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const store = { PG_BRANCH_STORE: `oci://127.0.0.1:${port}/team/app` }
    try {
      const waiting = runCli(project.dir, ['template', 'build'], { env: store })
      await expect.poll(() => sockets.size, { timeout: 20_000 }).toBeGreaterThan(0)
      // Another project does not wait for it.
      await using branch = await leaseBranch(other.dir)
      expect(await branch.query('SELECT a FROM t')).toEqual([{ a: 1 }])
      branch.connection.close()
      const before = performance.now()
      const down = await runCli(project.dir, ['down'])
      expect(down.exitCode, down.all).toBe(0)
      expect(performance.now() - before).toBeLessThan(12_000)
      await waiting
      const built = await runCli(project.dir, ['template', 'build'], { env: store })
      expect(built.exitCode, built.all).toBe(0)
      expect(built.all).toMatch(/127\.0\.0\.1:\d+.*nothing came for \d+ s/)
    } finally {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
    expect(await home.end()).toEqual([])
  })

  test('a FIFO in the place of a file costs one line', async () => {
    await using _home = makeHome()
    await using project = await makeProject(files)
    const { key } = await runJson<{ key: string }>(project.dir, ['template', 'pack', 'store'])
    const ref = join(project.dir, 'store/refs', `${key}.json`)
    renameSync(ref, `${ref}.away`)
    execFileSync('mkfifo', [ref])
    await using _fresh = makeHome()
    const built = await runCli(project.dir, ['template', 'build'], {
      env: { PG_BRANCH_STORE: join(project.dir, 'store') },
    })
    expect(built.exitCode, built.all).toBe(0)
    expect(built.all).toMatch(/store/)
  })
})
