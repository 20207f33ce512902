import { mkdtempSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { makeHome } from '../support/home.ts'
import { packAll } from '../support/installed.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The README's quick start, command by command, with our tarballs in place of the registry's. */
test('the quick start, to the letter, in an empty folder', async () => {
  await using _home = makeHome({ warm: false })
  const dir = mkdtempSync(join(tmpdir(), 'pgb-packed-'))
  try {
    const packed = await packAll(dir)
    const tarballs = [packed['pg-branch'], packed['vitest-environment-pg-branch']]
    const app = join(dir, 'app')
    await mkdir(app)
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const quickStart = /<!-- quick start -->([\s\S]*?)<!-- end -->/.exec(readme)?.[1] ?? ''
    const blocks = [...quickStart.matchAll(/```(\w+)(?: (\S+))?\n([\s\S]*?)```/g)]
    expect(blocks.length).toBeGreaterThanOrEqual(4)
    let output = ''
    for (const [, language, file, text = ''] of blocks) {
      if (file !== undefined) {
        await mkdir(join(app, file, '..'), { recursive: true })
        await writeFile(join(app, file), text)
        continue
      }
      expect(language).toBe('sh')
      const command = text
        .replace(/\bvitest-environment-pg-branch\b/, tarballs.join(' '))
        .replace(/ vitest( |$)/m, ' vitest@4.1.12$1')
      const env = {
        CI: '',
        VITEST: undefined,
        VITEST_POOL_ID: undefined,
        VITEST_WORKER_ID: undefined,
        NODE_ENV: undefined,
        NO_COLOR: '1',
      }
      const { all } = await execa('sh', ['-ec', command], { cwd: app, all: true, env })
      output = all
    }
    expect(output).toMatch(/pg-branch: template built in .* \(first build of this project\)/)
    expect(output).toMatch(/Test Files {2}1 passed \(1\)/)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('Jest in an empty folder, with npm alone', async () => {
  await using _home = makeHome({ warm: false })
  const dir = mkdtempSync(join(tmpdir(), 'pgb-packed-'))
  try {
    const packed = await packAll(dir)
    const tarballs = [packed['pg-branch'], packed['jest-environment-pg-branch']]
    const app = join(dir, 'app')
    await mkdir(join(app, 'migrations'), { recursive: true })
    const page = readFileSync(join(root, 'packages/docs/pages/jest.md'), 'utf8')
    const config = /```js\n\/\/ jest\.config\.js\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    await writeFile(join(app, 'jest.config.js'), config)
    await writeFile(join(app, 'migrations/1.sql'), 'CREATE TABLE users (name text);')
    await writeFile(
      join(app, 'users.test.js'),
      `const { Client } = require('pg')
test('is empty', async () => {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  expect((await client.query('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 0 }])
  await client.end()
})`,
    )
    const env = { CI: '', JEST_WORKER_ID: undefined, NODE_ENV: undefined, NO_COLOR: '1' }
    const install = ['install', '--save-dev', 'jest@30.5.2', 'pg', ...tarballs]
    await execa('npm', ['init', '-y'], { cwd: app })
    await execa('npm', install, { cwd: app, env })
    const { all } = await execa('npx', ['jest'], { cwd: app, all: true, env })
    expect(all).toContain('Tests:       1 passed, 1 total')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
