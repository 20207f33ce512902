import { chmodSync, chownSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runJson, type CliResult } from '../support/cli.ts'
import { cliFile, makeHome, settle, type TestHome } from '../support/home.ts'
import { makeProject, usersTable, type TestProject } from '../support/project.ts'
import { makeVolume, smallestVolumeMb } from '../support/volumes.ts'

/** Every command, with as many words as it needs. */
const commands: Record<string, string[]> = {
  init: ['init'],
  run: ['run'],
  status: ['status'],
  up: ['up'],
  down: ['down'],
  logs: ['logs'],
  gc: ['gc'],
  doctor: ['doctor'],
  'branch create': ['branch', 'create', 'a'],
  'branch fork': ['branch', 'fork', 'a', 'b'],
  'branch ls': ['branch', 'ls'],
  'branch show': ['branch', 'show', 'a'],
  'branch url': ['branch', 'url', 'a'],
  'branch psql': ['branch', 'psql', 'a'],
  'branch snapshot': ['branch', 'snapshot', 'a', 'b'],
  'branch restore': ['branch', 'restore', 'a', 'b'],
  'branch diff': ['branch', 'diff', 'a', 'b'],
  'branch rm': ['branch', 'rm', 'a'],
  'template build': ['template', 'build'],
  'template why': ['template', 'why'],
  'template ls': ['template', 'ls'],
  'template show': ['template', 'show', 'a'],
  'template rm': ['template', 'rm', 'a'],
  'template pack': ['template', 'pack', 'a'],
  'template push': ['template', 'push', 'a'],
  'template pull': ['template', 'pull', 'a'],
  'volume create': ['volume', 'create'],
  'volume grow': ['volume', 'grow', '1G'],
  'volume status': ['volume', 'status'],
  'volume remove': ['volume', 'remove'],
}
const withConfig = Object.entries(commands).filter(([name]) => !/^(init|status|down|logs|doctor|volume .*)$/.test(name))
/** The others only need to know where it is. */
const loadingConfig = withConfig.filter(([name]) => !/^(run|branch (ls|show|url|psql|snapshot|restore|rm))$/.test(name))
/** Which have a word that they cannot do without. */
const needy = Object.entries(commands).filter(([name, { length }]) => length > name.split(' ').length)

type Row = [args: string[], exitCode: number, says: RegExp]

const badNames = ['../up', 'a b', '-a', 'template', 'é', 'x'.repeat(101)].flatMap((name): Row[] => [
  [
    ['branch', 'create', '--', name].filter((word) => word !== '--' || name.startsWith('-')),
    1,
    /PGB_ARGUMENT|EARG|Missing/,
  ],
])

const rows: Row[] = [
  ...Object.values(commands).map((args): Row => [[...args, '--nonsense'], 1, /there is no option --nonsense/]),
  ...Object.values(commands).map((args): Row => [[...args, 'a', 'b', 'c'], 1, /nothing takes the word "[abc]"/]),
  ...needy
    .filter(([name]) => !/push|pull/.test(name))
    .map(([name]): Row => [name.split(' '), 1, /Missing required positional argument/]),
  ...withConfig
    .filter(([name]) => name !== 'run')
    .map(([, args]): Row => [[...args, '--config', 'nowhere.ts'], 1, /nowhere\.ts.*PGB_CONFIG_NOT_FOUND/s]),
  ...loadingConfig.map(([, args]): Row => [[...args, '--config', 'broken.mjs'], 1, /broken\.mjs.*PGB_CONFIG_LOAD/s]),
  ...loadingConfig.map(([, args]): Row => [[...args, '--config', 'odd.mjs'], 1, /odd\.mjs.*PGB_CONFIG_INVALID/s]),
  ...badNames,
  [['nonsense'], 1, /Unknown command/],
  [['branch', 'nonsense'], 1, /Unknown command/],
  [['template', 'nonsense'], 1, /Unknown command/],
  [['volume', 'nonsense'], 1, /Unknown command/],
  [['branch', 'lss'], 1, /Unknown command/],
  [['--nonsense'], 1, /--nonsense/],
  [['complete', 'nonsense'], 1, /nonsense/],
  [['init'], 1, /no test runner that pg-branch knows/],
  [['run'], 1, /there is no command to run/],
  [['run', 'ls'], 1, /nothing takes the word "ls"/],
  [['run', '--', 'no-such-command'], 127, /no-such-command could not be started/],
  [['run', '--config', 'nowhere.ts', '--', 'true'], 1, /PGB_CONFIG_NOT_FOUND/],
  [['up', '--for', 'never'], 1, /--for is "never"/],
  [['up', '--for', 'soon'], 1, /--for is "soon"/],
  [['up', '--for'], 1, /--for needs a value/],
  [['logs', '--of', 'nonsense'], 1, /nonsense/],
  [['logs', '--lines', '-1'], 1, /--lines is "-1"/],
  [['logs', '--lines', 'all'], 1, /--lines is "all"/],
  ...['5 minutes', '-1h', '0s', '1y', 'NaN', '1', '', '9999999d', '1e3s'].map((ttl): Row => [
    ['branch', 'create', 'x', `--ttl=${ttl}`],
    1,
    /--ttl is ".*".*for example 90s/s,
  ]),
  [['branch', 'create', 'x', '--label', 'pr'], 1, /--label has "pr"/],
  [['branch', 'create', 'x', '--label', '=1'], 1, /--label has "=1"/],
  [['branch', 'create', 'x', '--from', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'create', 'x', '--from', 'dev@nowhere'], 1, /nowhere.*PGB_SNAPSHOT_UNKNOWN/s],
  [['branch', 'create', 'x', '--from', 'dev@'], 1, /"" cannot be the name of a snapshot/],
  [['branch', 'create', 'x', '--from', 'template:0000'], 1, /PGB_TEMPLATE_UNKNOWN/],
  [['branch', 'create', 'x', '--from', 'template:xyz'], 1, /cannot be the name of a branch/],
  [['branch', 'create', 'dev', '--from', 'dev@one'], 1, /dev is there already, made from template/],
  [['branch', 'fork', 'nowhere', 'x'], 1, /no branch "nowhere"/],
  [['branch', 'fork', 'dev', 'a b'], 1, /"a b" cannot be the name/],
  [['branch', 'show', 'dve'], 1, /Did you mean dev\?/],
  [['branch', 'url', 'nowhere'], 1, /There are: dev\./],
  [['branch', 'psql', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'psql', 'dev', '-c', 'SELECT 1'], 1, /there is no option -c/],
  [['branch', 'snapshot', 'nowhere', 'one'], 1, /no branch "nowhere"/],
  [['branch', 'snapshot', 'dev', '../../x'], 1, /cannot be the name of a snapshot/],
  [['branch', 'restore', 'dev', 'nowhere'], 1, /nowhere.*PGB_SNAPSHOT_UNKNOWN/s],
  [['branch', 'restore', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'diff', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'diff', 'dev', 'dev@nowhere'], 1, /PGB_SNAPSHOT_UNKNOWN/],
  [['branch', 'diff', 'dev', '--samples', 'many'], 1, /--samples is "many"/],
  [['branch', 'rm', 'nowhere'], 1, /no branch "nowhere"/],
  [['template', 'show', 'ffff'], 1, /PGB_TEMPLATE_UNKNOWN/],
  [['template', 'rm', 'ffff'], 1, /PGB_TEMPLATE_UNKNOWN/],
  [['template', 'rm', 'CURRENT'], 1, /PGB_TEMPLATE_IN_USE/],
  [['template', 'push'], 1, /cache: \{ store/],
  [['template', 'pull'], 1, /cache: \{ store/],
  [['template', 'push', 'ftp://host/x'], 1, /ftp/],
  [['template', 'push', 'oci://'], 1, /oci/],
  [['template', 'push', 'oci://127.0.0.1:9/app'], 2, /127\.0\.0\.1:9.*PGB_STORE/s],
  [['template', 'pack', 'broken.mjs'], 2, /broken\.mjs.*PGB_STORE/s],
  ...['big', '1M', '-1G', '0', ''].map((size): Row => [
    ['volume', 'create', `--size=${size}`],
    1,
    /--size is ".*".*for example 20G/s,
  ]),
  [['volume', 'grow', 'big'], 1, /the size is "big"/],
  [['volume', 'grow', '1G'], 2, /is not mounted, so it cannot grow/],
]

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
    await project[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
  })

  test.each(rows)('pg-branch %j', async (args, code, says) => {
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
