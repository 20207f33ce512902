import { execa } from 'execa'
import { expect, test } from 'vitest'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

const files = {
  'pg-branch.config.ts': `import { defineConfig, sql } from 'pg-branch'
export default defineConfig({ seed: [sql('schema.sql'), sql('m/*.sql'), async ({ log }) => log('one line of its own')] })`,
  'schema.sql': `${usersTable}INSERT INTO users (name) SELECT md5(n::text) FROM generate_series(1, 1000) AS n;`,
  'm/1.sql': 'CREATE TABLE one ();',
}

function run(dir: string, args: string[]) {
  return execa(process.execPath, [cliFile, 'template', ...args], {
    cwd: dir,
    reject: false,
    all: true,
    env: { NO_COLOR: '1' },
  })
}

test('`template why` explains to the file what `template build` then does', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  expect((await run(project.dir, ['why'])).stdout).toMatch(
    /^template [0-9a-f]{8} would be built: first build of this project\n {2}1 {2}sql schema\.sql: runs\n {2}2 {2}sql m\/\*\.sql: runs\n {2}3 {2}function seed\[2\]: runs$/,
  )
  const first = await run(project.dir, ['build'])
  expect(first.stdout).toMatch(/^ready: template [0-9a-f]{8}$/)
  // Not a terminal: a line for each step.
  expect(first.stderr.split('\n')).toEqual([
    expect.stringMatching(/^pg-branch: step 1 of 3: sql schema\.sql · .* · 3 statements · 1100 rows · /),
    ...Array.from({ length: first.stderr.split('\n').length - 1 }, () => expect.any(String) as string),
  ])
  expect(first.stderr).toMatch(
    /step 2 of 3: sql m\/\*\.sql .*\n.*step 3 of 3: function seed\[2\] · one line of its own/,
  )
  expect(first.stderr).toMatch(/template built in [\d.]+ m?s, 3 steps \(first build of this project\)$/)
  expect((await run(project.dir, ['build'])).all).toMatch(/^ready, from the cache: template [0-9a-f]{8}$/)
  expect((await run(project.dir, ['why'])).stdout).toMatch(/is there: nothing would be built\n.*from the cache\n/)
  await project.write({ 'm/2.sql': 'CREATE TABLE two ();' })
  const why = await run(project.dir, ['why', '--json'])
  expect(JSON.parse(why.stdout)).toMatchObject({
    why: 'step 2 (sql m/*.sql): m/2.sql was added',
    steps: [{ runs: 'cached' }, { runs: 'rest', from: 'm/2.sql' }, { runs: 'whole' }],
  })
  const events = (await run(project.dir, ['build', '--json'])).stdout
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; phase?: string })
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['progress', 'built', 'ready']))
  expect(events.find(({ event }) => event === 'progress')?.phase).toBe('step 2 of 3: sql m/*.sql, from m/2.sql on')
  await project.write({ 'm/1.sql': 'SELECT * FROM nowhere;' })
  const failed = await run(project.dir, ['build'])
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain('m/1.sql:1:15: relation "nowhere" does not exist')
  expect(await home.end()).toEqual([])
})

test('on a terminal each step is one line, written over as it goes', async () => {
  await using _home = makeHome()
  await using project = await makeProject(files)
  const command = [process.execPath, cliFile, 'template', 'build'].join(' ')
  const env = { CI: '', NO_COLOR: '1' }
  const { stdout } = await execa('script', ['-qec', `stty cols 200; ${command}`, '/dev/null'], {
    cwd: project.dir,
    env,
  })
  // eslint-disable-next-line no-control-regex -- as a terminal is told to begin its line anew
  expect(stdout).toMatch(/\r\u001B\[2Kstep 1 of 3: sql schema\.sql · schema\.sql · █{20} \d+ B of \d+ B/)
  expect(stdout).toMatch(/template built in .*\(first build of this project\)\r\nready: template/)
})
