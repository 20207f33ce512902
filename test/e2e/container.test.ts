import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { postgisImage, startDockerEngine, type DockerEngine } from '../support/docker-engine.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, oneLineConfig } from '../support/project.ts'

let docker: DockerEngine

beforeAll(async () => {
  docker = await startDockerEngine()
  Object.assign(process.env, docker.env)
}, 600_000)
afterAll(() => docker[Symbol.asyncDispose]())

const config = (options = '{}', image = postgisImage) => `import { container } from '@pg-branch/testcontainers'
import { defineConfig, sql } from 'pg-branch'
export default defineConfig({ server: container('${image}', ${options}), seed: sql('migrations/*.sql') })
`
const files = {
  'pg-branch.config.ts': config(),
  'migrations/1.sql': `CREATE EXTENSION postgis;
CREATE TABLE places (name text, at geography(point));
INSERT INTO places VALUES ('Vienna', 'POINT(16.37 48.21)'), ('Graz', 'POINT(15.44 47.07)');`,
}

test('an image with PostGIS: isolated branches in Vitest, one container, removed at the end', async () => {
  await using home = makeHome()
  const uses = (statement: string, expected: number) => `import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
afterAll(() => pool.end())
test('uses it', async () => {
  await pool.query(${JSON.stringify(statement)})
  const { rows } = await pool.query('SELECT count(*)::int AS n, max(ST_Distance(a.at, b.at)) > 100000 AS far FROM places a, places b')
  expect(rows[0].n).toBe(${expected})
})`
  await using project = await makeProject({
    ...files,
    'vitest.config.ts': oneLineConfig,
    'a.test.ts': uses('DELETE FROM places', 0),
    'b.test.ts': uses('SELECT postgis_version()', 4),
  })
  const result = await project.vitest()
  expect(result.all).toMatch(/Tests {2}2 passed/)
  expect(await docker.listContainers()).toHaveLength(1)
  expect(await home.end()).toEqual([])
  expect(await docker.listContainers()).toEqual([])
})

test('in Jest, and the example as it is', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    ...files,
    'jest.config.js': `export default { testEnvironment: 'pg-branch', testMatch: ['**/*.jest.cjs'] }`,
    'a.jest.cjs': `const { Client } = require('pg')
test('reads', async () => {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  expect((await client.query('SELECT count(*)::int AS n FROM places')).rows).toEqual([{ n: 2 }])
  await client.end()
})`,
  })
  const jest = await project.jest()
  expect(jest.all).toContain('Tests:       1 passed, 1 total')
  const example = fileURLToPath(new URL('../../examples/testcontainers-postgis', import.meta.url))
  const { VITEST: _, VITEST_POOL_ID: __, VITEST_WORKER_ID: ___, NODE_ENV: ____, ...env } = process.env
  const result = await execa('npm', ['test'], {
    cwd: example,
    all: true,
    reject: false,
    env: { ...env, NO_COLOR: '1', POSTGIS_IMAGE: postgisImage },
    extendEnv: false,
  })
  expect(result.all).toMatch(/Tests {2}2 passed/)
  await home.end()
  expect(await docker.listContainers()).toEqual([])
})

test('init scripts, data on disk, settings; the container outlives a changed seed', async () => {
  await using home = makeHome()
  await using project = await makeProject({
    ...files,
    'pg-branch.config.ts': config(`{ data: 'volume', initScripts: ['init.sql'], settings: { work_mem: '9MB' } }`),
    'init.sql': 'CREATE ROLE reporter;',
  })
  {
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query("SELECT current_setting('work_mem') AS m, to_regrole('reporter')::text AS r")).toEqual([
      { m: '9MB', r: 'reporter' },
    ])
  }
  const [first] = await docker.listContainers()
  await project.write({ 'migrations/2.sql': 'DELETE FROM places' })
  await using branch = await leaseBranch(project.dir)
  expect(await branch.query('SELECT count(*)::int AS n FROM places')).toEqual([{ n: 0 }])
  expect(await docker.listContainers()).toEqual([first])
  branch.connection.close()
  await home.end()
  expect(await docker.listContainers()).toEqual([])
})

test('a SIGKILLed supervisor leaves no container', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const branch = await leaseBranch(project.dir)
  expect(await docker.listContainers()).toHaveLength(1)
  process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
  branch.connection.close()
  let containers = await docker.listContainers()
  for (let attempt = 0; containers.length > 0 && attempt < 50; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    containers = await docker.listContainers()
  }
  expect(containers).toEqual([])
})

test('the engine is killed in mid-run: when it is back, the next lease has a new container', async () => {
  await using home = makeHome()
  await using project = await makeProject(files)
  const branch = await leaseBranch(project.dir)
  await docker.kill()
  branch.connection.close()
  // It ends what the killed one left running.
  await docker.start()
  await expect(branch.query('SELECT 1')).rejects.toThrow()
  await using next = await leaseBranch(project.dir)
  expect(await next.query('SELECT count(*)::int AS n FROM places')).toEqual([{ n: 2 }])
  next.connection.close()
  await home.end()
  expect(await docker.listContainers()).toEqual([])
})

test('no engine, and an image that cannot be had, are said with what to do', async () => {
  await using _home = makeHome()
  await using project = await makeProject({ ...files, 'pg-branch.config.ts': config('{}', 'pgb/no-such-image:1') })
  await expect(leaseBranch(project.dir)).rejects.toThrow(/the container pgb\/no-such-image:1 did not start/)
  await _home.end()
  process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock'
  try {
    await expect(leaseBranch(project.dir)).rejects.toThrow(
      /no container engine was found[\s\S]*the provider `embedded` needs no container/,
    )
  } finally {
    Object.assign(process.env, docker.env)
  }
})

test('the guide from testcontainers: the tests as they were, on real containers', async () => {
  const result = await execa('npm', ['run', 'before'], {
    cwd: fileURLToPath(new URL('../../examples/from-testcontainers', import.meta.url)),
    reject: false,
    all: true,
    env: { ...docker.env, POSTGRES_IMAGE: postgisImage, NODE_OPTIONS: '', VITEST: '', NO_COLOR: '1' },
  })
  expect(result.all).toMatch(/Tests {2}4 passed/)
  expect(await docker.listContainers()).toEqual([])
})
