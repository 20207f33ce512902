import { mkdtempSync, realpathSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa, type Options, type ResultPromise } from 'execa'
import { findInstalled, type Installer, type JestVersion, type VitestVersion } from './installed.ts'

const testDir = fileURLToPath(new URL('..', import.meta.url))

export interface TestProject {
  dir: string
  /** Writes files, replacing what is there. */
  write(files: Record<string, string>): Promise<void>
  /** A real `vitest` process in the project: version 4 on this Node, version 5 on Node 22. */
  vitest(args?: string[], options?: Options & { version?: VitestVersion }): ResultPromise
  /** A real `jest` process in the project. */
  jest(args?: string[], options?: Options): ResultPromise
  [Symbol.asyncDispose](): Promise<void>
}

const ourModules = [
  'pg-branch',
  'vitest-environment-pg-branch',
  'jest-environment-pg-branch',
  '@pg-branch/testcontainers',
]
const usersModules = ['pg', 'jest-environment-jsdom', 'jsdom', 'happy-dom', '@types']

/** A user's project in a folder of its own, with our packages in node_modules, installed from tarballs. */
export async function makeProject(
  files: Record<string, string> = {},
  {
    version = 4,
    jest = 30,
    installer = 'npm',
    modules = {},
    tools = [],
  }: {
    version?: VitestVersion
    jest?: JestVersion
    installer?: Installer
    modules?: Record<string, string>
    tools?: string[]
  } = {},
): Promise<TestProject> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'pgb-project-')))
  const write = async (entries: Record<string, string>) => {
    for (const [path, content] of Object.entries(entries)) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await writeFile(join(dir, path), content)
    }
  }
  const link = async (name: string, from: string) => {
    await mkdir(dirname(join(dir, 'node_modules', name)), { recursive: true })
    await symlink(realpathSync(join(testDir, 'node_modules', from)), join(dir, 'node_modules', name))
  }
  const installed = findInstalled({ installer, vitest: version, jest })
  await write({ 'package.json': '{ "name": "user", "type": "module" }', ...files })
  for (const name of ourModules) {
    await mkdir(dirname(join(dir, 'node_modules', name)), { recursive: true })
    await symlink(realpathSync(join(installed, name)), join(dir, 'node_modules', name))
  }
  for (const name of usersModules) await link(name, name)
  await link('vitest', version === 4 ? 'vitest' : 'vitest-5')
  await link('jest', jest === 30 ? 'jest' : 'jest-29')
  for (const [name, from] of Object.entries(modules)) await link(name, from)
  for (const name of tools) await link(name, name)
  // The commands that the packages bring.
  if (tools.length > 0) await link('.bin', '.bin')
  const run = (node: string, args: string[], options: Options) =>
    execa(node, args, {
      cwd: dir,
      reject: false,
      all: true,
      forceKillAfterDelay: 1_000,
      ...options,
      // A test runner inside a test runner must not find the outer one's variables.
      env: { ...cleanEnv(), ...options.env },
      extendEnv: false,
    }) as unknown as ResultPromise
  return {
    dir,
    write,
    vitest(args = ['run'], options = {}) {
      const node = version === 4 ? process.execPath : join(testDir, 'node_modules/node-22/bin/node')
      return run(node, [join(dir, 'node_modules/vitest/vitest.mjs'), ...args], options)
    },
    jest: (args = [], options = {}) =>
      run(process.execPath, [join(dir, 'node_modules/jest/bin/jest.js'), ...args], options),
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function cleanEnv(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) =>
      !/^(VITEST|JEST_|VITE_|NODE_ENV$|TEST$|MODE$|DEV$|PROD$|SSR$|BASE_URL$|FORCE_TTY$|CI$|NODE_OPTIONS$)/.test(name),
  )
  return { ...Object.fromEntries(entries), NO_COLOR: '1' }
}

/** The one line that the README asks for. */
export const oneLineConfig = `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { environment: 'pg-branch' } })
`

export const usersTable = `CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 100) AS n;
`

/** A test file that runs one statement after another on a pool of its own and checks the first column of the last. */
export function queryTest(title: string, statements: string[], expected: unknown): string {
  return `import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())
test(${JSON.stringify(title)}, async () => {
  let result
  for (const statement of ${JSON.stringify(statements)}) result = await pool.query(statement)
  expect(Object.values(result.rows[0])[0]).toEqual(${JSON.stringify(expected)})
})
`
}

/** @returns a test file for Jest without modules. */
export function toCommonJs(text: string): string {
  return text.replace("import pg from 'pg'", "const pg = require('pg')").replaceAll(/^import .*\n/gm, '')
}
