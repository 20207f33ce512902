import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { runCli, runJson } from '../support/cli.ts'
import { cliFile, makeHome } from '../support/home.ts'
import { findPids, readProcess } from '../support/processes.ts'
import { makeProject, usersTable } from '../support/project.ts'

interface Garbage {
  dryRun: boolean
  garbage: Array<{ kind: string; what: string; bytes: number; reason: string }>
}

const files = {
  'pg-branch.config.mjs': `export default {
    idleTimeoutMs: 300, pool: { size: 1 },
    seed: [{ kind: 'sql', globs: ['migrations/*.sql'] }, async ({ log }) => { console.log('written by the seed') }],
  }`,
  'migrations/1.sql': usersTable,
}

test('what SQL has started ends with the supervisor', async () => {
  await using _home = makeHome()
  await using project = await makeProject(files)
  const seconds = '47611'
  const findLeft = () => findPids((pid) => readProcess(pid, 'cmdline') === `sleep\0${seconds}\0`)
  {
    await using branch = await leaseBranch(project.dir)
    await branch.query(`COPY (SELECT 1) TO PROGRAM 'setsid sleep ${seconds} </dev/null >/dev/null 2>&1 &'`)
    expect(findLeft()).toHaveLength(1)
  }
  expect((await runCli(project.dir, ['down'])).exitCode).toBe(0)
  expect(findLeft()).toEqual([])
})

test('`up` stays although nobody needs it, `status` says so, and `down` ends it', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const up = await runJson<{ pid: number; built: boolean; template: string; staysForMs: number }>(project.dir, [
    'up',
    '--for',
    '1h',
  ])
  expect(up).toMatchObject({ pid: home.supervisorPid(), built: true, staysForMs: 3_600_000 })
  const again = await runCli(project.dir, ['up', '--for', '30m'])
  expect(again.stdout).toBe(
    `up, pid ${up.pid}, with template ${up.template.slice(0, 8)}; it stays for 30m, or until: pg-branch down`,
  )
  // Without it, it would have left by now.
  await sleep(2_000)
  const status = await runCli(project.dir, ['status'])
  expect(status.stdout).toMatch(new RegExp(`pid ${up.pid}, stays until 20`))
  expect((await runCli(project.dir, ['down'])).stdout).toBe('stopped')
  expect((await runCli(project.dir, ['down'])).stdout).toBe('nothing was running')
  expect(await home.end()).toEqual([])
})

test('`logs` shows what the process and the seed have written, and goes on as more comes', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  expect((await runCli(project.dir, ['logs'])).stderr).toMatch(/cannot be read\n.*Nothing was written yet/)
  await runCli(project.dir, ['up'])
  const { file, lines } = await runJson<{ file: string; lines: string[] }>(project.dir, ['logs'])
  expect(file).toBe(join(home.stateDir, 'logs/supervisor.log'))
  expect(lines.join('\n')).toContain('building')
  expect((await runCli(project.dir, ['logs', '--lines', '1'])).stdout.split('\n')).toHaveLength(1)
  expect((await runCli(project.dir, ['logs', '--of', 'seed'])).stdout).toContain('written by the seed')
  const following = execa(process.execPath, [cliFile, 'logs', '--follow', '--lines', '0'], { reject: false })
  await sleep(1_000)
  await project.write({ 'migrations/2.sql': 'CREATE TABLE two ();' })
  await runCli(project.dir, ['template', 'build'])
  await sleep(1_000)
  following.kill('SIGINT')
  expect((await following).stdout).toContain('building')
  // Whoever has read enough closes the pipe, which the next line notices.
  const head = execa('bash', ['-c', `${process.execPath} ${cliFile} logs --follow | head -n 1`], { reject: false })
  await sleep(1_000)
  await project.write({ 'migrations/3.sql': 'CREATE TABLE three ();' })
  await runCli(project.dir, ['template', 'build'])
  expect(await head).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await home.end()).toEqual([])
})

test('`gc` says what nobody needs and why, removes that, and nothing else', async () => {
  await using home = makeHome()
  // A process that leaves removes old templates by itself: it must stay for as long as this takes.
  const config = files['pg-branch.config.mjs'].replace('idleTimeoutMs: 300', 'idleTimeoutMs: 120_000')
  await using project = await makeProject({ ...files, 'pg-branch.config.mjs': config })
  await runCli(project.dir, ['template', 'build'])
  const [old] = await runJson<Array<{ key: string; isCurrent: boolean }>>(project.dir, ['template', 'ls'])
  await project.write({ 'migrations/1.sql': `${usersTable} -- changed` })
  await runCli(project.dir, ['template', 'build'])
  const longAgo = new Date(Date.now() - 30 * 86_400_000)
  const templatesDir = join(home.stateDir, 'templates')
  utimesSync(join(templatesDir, old?.key ?? '', 'template.json'), longAgo, longAgo)
  // Of other versions: one that was used today, and one that was not.
  for (const [version, usedAt] of [
    ['0.0.1', longAgo],
    ['0.0.2', new Date()],
  ] as const) {
    mkdirSync(join(home.dir, version, 'logs'), { recursive: true })
    const log = join(home.dir, version, 'logs/supervisor.log')
    writeFileSync(log, 'x'.repeat(10_000))
    utimesSync(log, usedAt, usedAt)
    utimesSync(join(home.dir, version, 'logs'), longAgo, longAgo)
  }
  mkdirSync(join(home.stateDir, 'downloads'), { recursive: true })
  const download = join(home.stateDir, 'downloads/old.dump')
  writeFileSync(download, 'x'.repeat(5_000))
  utimesSync(download, longAgo, longAgo)
  const planned = await runJson<Garbage>(project.dir, ['gc', '--dry-run'])
  const what = planned.garbage.map(({ kind, what: name, reason }) => [kind, name, reason])
  expect(what).toEqual(
    expect.arrayContaining([
      ['template', old?.key, 'not used for 14 days'],
      ['version', join(home.dir, '0.0.1'), expect.stringContaining('not used for a day')],
      ['download', download, 'not used for 14 days'],
    ]),
  )
  expect(what.map(([, name]) => name)).not.toContain(join(home.dir, '0.0.2'))
  expect(existsSync(download)).toBe(true)
  const done = await runCli(project.dir, ['gc'])
  expect(done.stdout).toMatch(/^KIND +WHAT +SIZE +WHY\n[\s\S]* were freed$/)
  expect(existsSync(download)).toBe(false)
  expect(readdirSync(home.dir).filter((name) => name.startsWith('0.0.'))).toEqual(['0.0.2'])
  expect(readdirSync(templatesDir)).not.toContain(old?.key)
  expect((await runCli(project.dir, ['gc'])).stdout).toBe('there is nothing to remove')
  // What the project needs now is there.
  expect((await runCli(project.dir, ['template', 'build'])).stdout).toMatch(/^ready, from the cache/)
  expect(await home.end()).toEqual([])
})

test('completion knows commands, options, and the names of branches; it starts nothing', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const suggest = async (...words: string[]) => {
    const { stdout } = await runCli(project.dir, ['complete', '--', ...words])
    return stdout.split('\n').map((line) => line.split('\t')[0])
  }
  expect(await suggest('tem')).toContain('template')
  expect(await suggest('branch', '')).toEqual(expect.arrayContaining(['create', 'snapshot', 'diff']))
  expect(await suggest('branch', 'create', 'x', '--')).toEqual(expect.arrayContaining(['--ttl', '--label', '--from']))
  // Nor do look-ups of branches, of which there are none then.
  for (const words of [['url', 'x'], ['show', 'x'], ['rm', 'x'], ['snapshot', 'x', 'y'], ['restore', 'x'], ['ls']]) {
    const { stderr } = await runCli(project.dir, ['branch', ...words])
    expect(stderr).toMatch(words[0] === 'ls' ? /^$/ : /there is no branch "x": nothing is running.*PGB_BRANCH_UNKNOWN/s)
  }
  expect(home.supervisorPid()).toBeUndefined()
  await using other = await makeProject(files)
  await runJson(other.dir, ['branch', 'create', 'of-another-project'])
  await runJson(project.dir, ['branch', 'create', 'feature/one'])
  expect(await suggest('branch', 'url', '')).toContain('feature/one')
  expect(await suggest('branch', 'url', '')).not.toContain('of-another-project')
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { stdout, exitCode } = await runCli(project.dir, ['complete', shell])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('pg-branch')
  }
  const { stdout } = await runCli(project.dir, ['complete', 'bash'])
  expect((await execa('bash', ['-n', '-c', stdout])).exitCode).toBe(0)
  expect(await home.end()).toEqual([])
})
