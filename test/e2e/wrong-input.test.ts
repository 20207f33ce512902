import { chmodSync, chownSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runJson, type CliResult } from '../support/cli.ts'
import { cliFile, makeHome, settle, type TestHome } from '../support/home.ts'
import { makeProject, usersTable, type TestProject } from '../support/project.ts'
import { makeVolume, smallestVolumeMb } from '../support/volumes.ts'
import { wrongWords, type Row } from '../support/wrong-words.ts'

/** What holds for every mistake: a line about what it was, what to do, and nothing of our inside. */
function expectClear({ exitCode, stderr, stdout }: CliResult, { code, says }: { code: number; says: RegExp }) {
  const all = `${stdout}\n${stderr}`
  expect(stderr, all).toMatch(says)
  expect(exitCode, all).toBe(code)
  expect(stderr).toMatch(/^error \S/m)
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+|PGB_INTERNAL|undefined|\[object/m)
  if (stderr.includes('[PGB_')) expect(stderr).toContain('→')
}

describe('in a project with a branch', () => {
  let home: TestHome
  let project: TestProject
  let currentKey: string

  beforeAll(async () => {
    home = makeHome()
    project = await makeProject({
      'migrations/1.sql': usersTable,
      'broken.mjs': 'export default {',
      'odd.mjs': 'export default { seeds: [] }',
      'empty/x': '',
    })
    await runJson(project.dir, ['branch', 'create', 'dev'])
    await runJson(project.dir, ['branch', 'snapshot', 'dev', 'one'])
    const templates = await runJson<Array<{ key: string; isCurrent: boolean }>>(project.dir, ['template', 'ls'])
    currentKey = templates.find(({ isCurrent }) => isCurrent)?.key ?? ''
  })
  afterAll(async () => {
    expect(await runJson(project.dir, ['branch', 'ls'])).toMatchObject([{ name: 'dev', snapshots: ['one'] }])
    // First whoever may still write there.
    await home[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  test.each(wrongWords)('pg-branch %j', async (args, code, says) => {
    const words = args.map((word) => (word === 'CURRENT' ? currentKey : word))
    expectClear(await runCli(project.dir, words), { code, says })
  })
})

test.each<Row>([
  [['template', 'pull', 'oci://127.0.0.1:9/app'], 2, /127\.0\.0\.1:9.*PGB_STORE/s],
  [['template', 'pull', 'empty'], 1, /empty.*PGB_/s],
  [['template', 'pull', 'nowhere'], 1, /nowhere.*PGB_/s],
  [['template', 'pull', 'package.json'], 1, /package\.json.*PGB_TEMPLATE_UNKNOWN/s],
])('with no template: pg-branch %j', async (args, code, says) => {
  await using _home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable, 'empty/x': '' })
  expectClear(await runCli(project.dir, args), { code, says })
})

/** Those that may build, and so take as long as a seed does. */
const building = [
  ['branch', 'create', 'x'],
  ['branch', 'diff', 'template', 'template'],
  ['template', 'build'],
  ['template', 'push', 'store'],
  ['template', 'pack', 'store'],
  ['up'],
]

test.each(building)('the supervisor is killed in the middle of: pg-branch %s %s', async (...args) => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': 'SELECT pg_sleep(60);' })
  const running = runCli(
    project.dir,
    args.filter((word) => typeof word === 'string'),
  )
  const isBuilding = () => (home.readLog('build-server.log').includes('ready to accept connections') ? [] : ['not yet'])
  expect(await settle(isBuilding, 30_000)).toEqual([])
  process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
  expectClear(await running, { code: 2, says: /the pg-branch supervisor ended.*PGB_SUPERVISOR_GONE/s })
  expect(await home.end()).toEqual([])
})

const nobody = 65_534

test('without permission', async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  chmodSync(project.dir, 0o755)
  chmodSync(home.dir, 0o755)
  const asNobody = async (args: string[], env = {}): Promise<CliResult> =>
    execa(process.execPath, [cliFile, ...args], {
      cwd: project.dir,
      uid: nobody,
      gid: nobody,
      reject: false,
      all: true,
      env: { NO_COLOR: '1', HOME: home.dir, ...env },
    })
  // Its cache belongs to somebody else.
  for (const args of [['up'], ['branch', 'create', 'x'], ['template', 'build'], ['run', '--', 'true'], ['gc']]) {
    expectClear(await asNobody(args), { code: 2, says: /PGB_HOME_UNUSABLE/ })
  }
  // Nor can servers of root's, which run as somebody else, get through a directory that is closed to them.
  chmodSync(project.dir, 0o700)
  const closed = { PG_BRANCH_HOME: join(project.dir, 'cache') }
  expectClear(await runCli(project.dir, ['up'], { env: closed }), { code: 2, says: /chmod o\+x.*PGB_HOME_UNUSABLE/s })
  chmodSync(project.dir, 0o755)
  await using own = makeHome({ warm: false })
  const { env } = own
  chownSync(own.dir, nobody, nobody)
  expectClear(await asNobody(['volume', 'create'], env), { code: 2, says: /root/ })
  // A supervisor that runs cannot read what belongs to others.
  chmodSync(join(project.dir, 'migrations/1.sql'), 0o600)
  expectClear(await asNobody(['template', 'build'], env), { code: 2, says: /1\.sql.*PGB_PERMISSION/s })
  chmodSync(join(project.dir, 'migrations/1.sql'), 0o644)
  await project.write({ 'store/x': '' })
  expectClear(await asNobody(['template', 'pack', 'store'], env), { code: 2, says: /store.*PGB_STORE/s })
  expectClear(await asNobody(['template', 'pack', '/root/store'], env), { code: 2, says: /\/root\/store.*PGB_STORE/s })
  await project.write({ 'package.json': '{ "name": "user", "type": "module", "devDependencies": { "vitest": "4" } }' })
  expectClear(await asNobody(['init', '--yes', '--json'].slice(0, 2), env), {
    code: 2,
    says: /no permission for .*pg-branch\.config\.mjs/,
  })
})

test('the volume is unmounted under it: said, and the next run has another', async () => {
  await using volume = await makeVolume('btrfs')
  await using project = await makeProject({
    'migrations/1.sql': usersTable,
    'pg-branch.config.mjs': `export default { volume: { path: '${volume.path}' }, pool: { size: 1 } }`,
  })
  await using home = makeHome()
  await runJson(project.dir, ['branch', 'create', 'dev'])
  await runCli(project.dir, ['branch', 'psql', 'dev', '--', '-c', 'DELETE FROM users'])
  await volume.detach()
  for (const args of [
    ['branch', 'snapshot', 'dev', 'one'],
    ['branch', 'create', 'other'],
    ['branch', 'fork', 'dev', 'other'],
    ['template', 'pack', 'store'],
  ]) {
    const result = await runCli(project.dir, args)
    expectClear(result, { code: 2, says: /PGB_/ })
  }
  for (const args of [['status'], ['doctor'], ['branch', 'ls'], ['branch', 'show', 'dev'], ['down']]) {
    const { exitCode, all } = await runCli(project.dir, args)
    expect(exitCode, all).toBe(0)
  }
  expect(await home.end()).toEqual([])
})

test('the disk fills up in the middle of a pull: said, nothing is left, and it goes on once there is room', async () => {
  await using volume = await makeVolume('ext4', smallestVolumeMb)
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  await using first = makeHome()
  await runJson(project.dir, ['template', 'pack', 'store'])
  expect(await first.end()).toEqual([])
  await using home = makeHome({ dir: volume.path, warm: false })
  // Binaries are there; the template's data is not.
  await runCli(project.dir, ['doctor'])
  await execa(
    'sh',
    ['-c', `dd if=/dev/zero of=${volume.path}/filler bs=1M; rm -f ${home.stateDir}/supervisor.json.tmp`],
    { reject: false },
  )
  await execa('truncate', ['-s', '-20M', join(volume.path, 'filler')])
  expectClear(await runCli(project.dir, ['template', 'pull', 'store']), {
    code: 2,
    says: /no space left.*PGB_DISK_FULL/s,
  })
  expect(await readdir(join(home.stateDir, 'templates')).catch(() => [])).toEqual([])
  await rm(join(volume.path, 'filler'))
  expect((await runJson<{ wasThere: boolean }>(project.dir, ['template', 'pull', 'store'])).wasThere).toBe(false)
  expect(await home.end()).toEqual([])
})
