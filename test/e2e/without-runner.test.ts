import { execa } from 'execa'
import { expect, test } from 'vitest'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

const files = { 'migrations/1.sql': usersTable }

function run(dir: string, args: string[], env: Record<string, string> = {}) {
  return execa(process.execPath, [cliFile, 'run', ...args], { cwd: dir, reject: false, all: true, env })
}

test('`run` gives any command a branch, and passes on its output and exit code', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...files,
    'delete.js': `import pg from 'pg'
const client = new pg.Client()
await client.connect()
console.log((await client.query('DELETE FROM users')).rowCount, process.env.OTHER_URL)
await client.end()
process.exit(Number(process.argv[2]))`,
  })
  const env = { OTHER_URL: 'postgres://real:secret@127.0.0.1:1/production' }
  for (const code of [0, 7]) {
    const result = await run(project.dir, ['--', process.execPath, 'delete.js', String(code)], env)
    expect(result.exitCode).toBe(code)
    expect(result.stdout).toMatch(/^100 postgres:\/\/.*other-url\.no-pg-branch-behind-this-variable\.invalid/)
    expect(result.all).not.toContain('kept')
  }
  const kept = await run(project.dir, ['--keep', '--', process.execPath, 'delete.js', '1'])
  expect(kept.all).toMatch(/its branch is kept for 1 h 00 min.*\n {2}PGPASSFILE=/)
})

test('`run` forwards signals, and says what cannot be run', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const script = `process.on('SIGTERM', () => { console.log('told to end'); process.exit(3) }); setInterval(() => {}, 1000); console.log('ready')`
  const running = run(project.dir, ['--', process.execPath, '-e', script])
  await new Promise<void>((resolve) => {
    running.stdout.on('data', (chunk) => {
      if (String(chunk).includes('ready')) resolve()
    })
  })
  running.kill('SIGTERM')
  const ended = await running
  expect(ended.stdout).toContain('told to end')
  expect(ended.exitCode).toBe(3)
  const killed = await run(project.dir, ['--', 'sh', '-c', 'kill -9 $$'])
  expect(killed.exitCode).toBe(137)
  const missing = await run(project.dir, ['--', 'no-such-program'])
  expect(missing.exitCode).toBe(127)
  expect(missing.stderr).toMatch(/the command no-such-program could not be started/)
  expect((await run(project.dir, [])).stderr).toContain('pg-branch run -- pytest -x')
  expect(await home.end()).toEqual([])
})

test('one Ctrl-C on a terminal reaches the command of `run` once', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    ...files,
    'graceful.js': `let count = 0
process.on('SIGINT', () => { count += 1 })
setTimeout(() => { console.log('signals: ' + count); process.exit(0) }, 2_000)
console.log('ready')`,
  })
  const command = [process.execPath, cliFile, 'run', '--', process.execPath, 'graceful.js'].join(' ')
  // `script` gives it a terminal, and passes what it is given on as typed.
  const terminal = execa('script', ['-qec', command, '/dev/null'], { cwd: project.dir, reject: false, stdin: 'pipe' })
  await new Promise<void>((resolve) => {
    terminal.stdout.on('data', (chunk) => {
      if (String(chunk).includes('ready')) resolve()
    })
  })
  terminal.stdin.write('\u0003')
  expect((await terminal).stdout).toContain('signals: 1')
})

test('`openBranch` ends by `await using`, and a forgotten one ends with its process', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    ...files,
    'open.js': `import { openBranch } from 'pg-branch/node'
const one = await openBranch()
const two = await openBranch({ rootDir: process.cwd() })
console.log(one.url !== two.url, one.variables.PGPORT === new URL(one.url).port, process.env.DATABASE_URL)
await one.close()`,
  })
  const { DATABASE_URL: _, ...env } = process.env
  const { stdout } = await execa(process.execPath, ['open.js'], { cwd: project.dir, env, extendEnv: false })
  expect(stdout).toBe('true true undefined')
  const status = await execa(process.execPath, [cliFile, 'status', '--json'])
  expect((JSON.parse(status.stdout) as { projects: Array<{ leases: number }> }).projects[0]?.leases).toBe(0)
  expect(await home.end()).toEqual([])
})
