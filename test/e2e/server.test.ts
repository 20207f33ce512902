import { execa } from 'execa'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMarkedName } from '../../packages/pg-branch/dist/postgres/marked-databases.js'
import { leaseBranch } from '../support/branch.ts'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, oneLineConfig, queryTest, usersTable, type TestProject } from '../support/project.ts'
import { makePgBouncer, makeServer, type TestServer } from '../support/server.ts'

const config = (pool = '{}') => `import { defineConfig, sql } from 'pg-branch'
export default defineConfig({ server: process.env.ADMIN_URL, seed: sql('migrations/*.sql'), pool: ${pool} })
`
const files = { 'migrations/1.sql': usersTable, 'pg-branch.config.ts': config() }

let server: TestServer

beforeAll(async () => {
  server = await makeServer({ settings: { max_connections: '100' } })
  await server.query('CREATE DATABASE dev')
})
afterAll(() => server[Symbol.asyncDispose]())

const lease = (project: TestProject, url = server.url) =>
  leaseBranch(project.dir, { env: { ADMIN_URL: url }, withheld: { ADMIN_URL: url } })

/** What is left on the server but the user's own database and templates. */
const listBranches = async () => (await server.listDatabases()).filter((name) => !/^(dev$|pgb_template_)/.test(name))
const listTemplates = async () => (await server.listDatabases()).filter((name) => name.startsWith('pgb_template_'))

describe('branches on a server of the user’s', () => {
  test('are isolated databases of one template, and go when they are returned', async () => {
    await using _home = makeHome()
    await using project = await makeProject(files)
    {
      await using one = await lease(project)
      await using two = await lease(project)
      await one.query('DELETE FROM users')
      expect(await two.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
      expect(one.url).not.toBe(two.url)
      expect(new URL(one.url).port).toBe(new URL(server.url).port)
      expect(await listTemplates()).toHaveLength(1)
      const [template] = await listTemplates()
      expect(
        await server.query(
          `SELECT datistemplate, datallowconn, shobj_description(oid, 'pg_database') LIKE '%"pg-branch":"template"%' AS marked FROM pg_database WHERE datname = '${template}'`,
        ),
      ).toEqual([{ datistemplate: true, datallowconn: false, marked: true }])
    }
    await _home.end()
    expect(await listBranches()).toEqual([])
    expect(await server.listDatabases()).toContain('dev')
  })

  test('in Vitest and in Jest, where the tests never see the administrator’s variable', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      ...files,
      'vitest.config.ts': oneLineConfig,
      'a.test.ts': queryTest('deletes', ['DELETE FROM users', 'SELECT count(*)::int FROM users'], 0),
      'b.test.ts': queryTest('reads', ['SELECT count(*)::int FROM users'], 100),
      'c.test.ts': `import { expect, test } from 'vitest'
test('sentinel', () => expect(process.env.ADMIN_URL).toContain('no-pg-branch-behind-this-variable.invalid'))`,
      'jest.config.js': `export default { testEnvironment: 'pg-branch', testMatch: ['**/*.jest.cjs'] }`,
      'a.jest.cjs': `const { Client } = require('pg')
test('reads', async () => {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  expect((await client.query('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 100 }])
  await client.end()
  expect(process.env.ADMIN_URL).toContain('.invalid')
})`,
    })
    const vitest = await project.vitest(['run'], { env: { ADMIN_URL: server.url } })
    expect(vitest.all).toMatch(/Tests {2}3 passed/)
    const jest = await project.jest([], { env: { ADMIN_URL: server.url } })
    expect(jest.all).toContain('Tests:       1 passed, 1 total')
    await _home.end()
    expect(await listBranches()).toEqual([])
  })

  test('a pool that reconnects at once does not keep its branch alive', async () => {
    await using home = makeHome()
    await using project = await makeProject(files)
    const branch = await lease(project)
    const pool = new pg.Pool({ connectionString: branch.url, max: 3 })
    pool.on('error', () => {})
    let refused = 0
    const stopping = new AbortController()
    const hammer = (async () => {
      while (!stopping.signal.aborted) await pool.query('SELECT 1').catch(() => (refused += 1))
    })()
    branch.connection.close()
    await expect.poll(() => refused, { timeout: 10_000 }).toBeGreaterThan(0)
    await home.end()
    expect(await listBranches()).toEqual([])
    stopping.abort()
    await hammer
    await pool.end()
  })

  test('a changed last step re-runs only that step, and another machine takes what the first one built', async () => {
    await using first = makeHome()
    await using project = await makeProject({
      'migrations/1.sql': `${usersTable}-- not the template of the other tests\n`,
      'seeds/1.sql': 'DELETE FROM users WHERE id > 50',
      'pg-branch.config.ts': `import { defineConfig, sql } from 'pg-branch'
export default defineConfig({ server: process.env.ADMIN_URL, seed: [sql('migrations/*.sql'), sql('seeds/*.sql')] })`,
    })
    {
      await using branch = await lease(project)
      expect(branch.progress.at(-1)?.done).toMatchObject({ steps: 2, stepsRun: 2 })
    }
    await project.write({ 'seeds/1.sql': 'DELETE FROM users WHERE id > 40' })
    {
      await using branch = await lease(project)
      expect(branch.progress.at(-1)?.done).toMatchObject({ steps: 2, stepsRun: 1 })
      expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 40 }])
    }
    await first.end()
    await using _second = makeHome()
    await using other = await lease(project)
    expect(other.progress.filter(({ done }) => done !== undefined)).toEqual([])
    expect(await other.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 40 }])
  })

  test('two projects with the same seed at once, and a build that was killed just before its end', async () => {
    await using home = makeHome()
    const own = { ...files, 'migrations/2.sql': 'SELECT pg_sleep(1); -- at once' }
    await using one = await makeProject(own)
    await using two = await makeProject(own)
    const { name } = createMarkedName('build')
    await server.query(`CREATE DATABASE ${name}`)
    await server.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`)
    {
      const branches = await Promise.all([lease(one), lease(two)])
      for (const branch of branches) {
        expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
        branch.connection.close()
      }
    }
    await home.end()
    expect(await listBranches()).toEqual([])
  })

  test('a seed that fails, or leaves its database, leaves nothing', async () => {
    await using home = makeHome()
    await using project = await makeProject({ ...files, 'migrations/2.sql': 'SELECT 1 / 0;' })
    await expect(lease(project)).rejects.toThrow(/2\.sql:1:1: division by zero/)
    for (const statement of ['DROP DATABASE dev;', 'CREATE DATABASE other;', '\\connect dev']) {
      await project.write({ 'migrations/2.sql': `${statement}\n` })
      await expect(lease(project)).rejects.toThrow(/would leave the database being built/)
    }
    await home.end()
    expect(await listBranches()).toEqual([])
    expect(await server.listDatabases()).toContain('dev')
  })
})

describe('what is missing is said at once', () => {
  const refuse = async (url: string, message: RegExp) => {
    await using _home = makeHome()
    await using project = await makeProject(files)
    await expect(lease(project, url)).rejects.toThrow(message)
  }

  test('a wrong password, nobody there, a role that may not create databases', async () => {
    const wrong = new URL(server.url)
    wrong.password = 'wrong'
    await refuse(wrong.href, /cannot connect to the server postgres@127[\s\S]*The password in the URL is wrong/)
    const nobody = new URL(server.url)
    nobody.port = '1'
    await refuse(nobody.href, /Nobody listens there/)
    await server.query("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    const weak = new URL(server.url)
    weak.username = 'weak'
    weak.password = 'weak'
    await refuse(weak.href, /may not create databases[\s\S]*ALTER ROLE "weak" CREATEDB/)
  })

  test('a connection pooler in between', async () => {
    await using bouncer = await makePgBouncer(server.url)
    await refuse(bouncer.url, /is a connection pooler \(pgbouncer/)
  })

  test('a role that is no superuser is enough', async () => {
    await using home = makeHome()
    await server.query("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'maker'")
    const maker = new URL(server.url)
    maker.username = 'maker'
    maker.password = 'maker'
    await using project = await makeProject(files)
    {
      await using branch = await lease(project, maker.href)
      expect(await branch.query('DELETE FROM users RETURNING 1 AS n')).toHaveLength(100)
    }
    await home.end()
    expect(await listBranches()).toEqual([])
    for (const name of await listTemplates()) {
      await server.query(`ALTER DATABASE ${name} IS_TEMPLATE false`)
      await server.query(`DROP DATABASE ${name}`)
    }
  })

  test('an unset variable, and options that mean nothing on a server', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      ...files,
      'pg-branch.config.ts': `export default { server: process.env.DATABASE_URL, seed: [] }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/the variable DATABASE_URL, which holds no Postgres URL/)
    await project.write({
      'pg-branch.config.ts': `export default { server: process.env.DATABASE_URL, postgres: { version: 17 } }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/both `server` and `postgres`/)
  })
})

describe('connections', () => {
  test('300 branches are wanted and there is room for nine: all get one, in turn', async () => {
    await using home = makeHome()
    await using project = await makeProject({ ...files, 'pg-branch.config.ts': config('{ connectionsPerBranch: 10 }') })
    const work = async () => {
      await using branch = await lease(project)
      expect(await branch.query('DELETE FROM users RETURNING id')).toHaveLength(100)
    }
    await Promise.all(Array.from({ length: 300 }, work))
    await home.end()
    expect(await listBranches()).toEqual([])
  })

  test('who holds what is named when a lease has waited too long', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      ...files,
      'pg-branch.config.ts': config('{ connectionsPerBranch: 60, waitMs: 300 }'),
    })
    await using _held = await lease(project)
    await expect(lease(project)).rejects.toThrow(
      /no room for a branch for a test[\s\S]*pg-branch \S+ \d+: 1[\s\S]*here: a test/,
    )
  })
})

describe('faults', () => {
  test('the server restarts in mid-run: branches, and what they are for, are still there', async () => {
    await using home = makeHome()
    await using project = await makeProject(files)
    {
      await using branch = await lease(project)
      await branch.query('DELETE FROM users WHERE id > 10')
      await server.restart()
      expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 10 }])
      await using next = await lease(project)
      expect(await next.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
    }
    await home.end()
    expect(await listBranches()).toEqual([])
  })

  test('the server goes away for good: a lease says so, and the supervisor still ends', async () => {
    await using home = makeHome()
    await using project = await makeProject(files)
    const doomed = await makeServer()
    const branch = await lease(project, doomed.url)
    await doomed[Symbol.asyncDispose]()
    await expect(lease(project, doomed.url)).rejects.toThrow(/ECONNREFUSED|Connection terminated|has been away/)
    branch.connection.close()
    const startedAt = performance.now()
    await execa(process.execPath, [cliFile, 'down'], { reject: false })
    await expect.poll(() => home.supervisorPid(), { timeout: 60_000 }).toBeUndefined()
    expect(performance.now() - startedAt).toBeLessThan(60_000)
  })

  test('of two machines one is killed: the other drops what it left, and nothing of its own or of the user’s', async () => {
    await using project = await makeProject(files)
    await using one = makeHome()
    const lost = await lease(project)
    await using two = makeHome()
    await using held = await lease(project)
    await held.query('DELETE FROM users WHERE id > 7')
    process.kill(one.supervisorPid() ?? 0, 'SIGKILL')
    await expect(lost.query('SELECT 1')).resolves.toHaveLength(1)
    lost.connection.close()
    // Somebody else’s, with a name much like ours.
    await server.query('CREATE DATABASE pgb_branch_01234567_00000000')
    await using three = makeHome()
    await using last = await lease(project)
    expect(await last.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
    await expect(lost.query('SELECT 1')).rejects.toThrow(/does not exist/)
    expect(await held.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 7 }])
    last.connection.close()
    held.connection.close()
    for (const home of [two, three]) {
      process.env.PG_BRANCH_HOME = home.dir
      await home.end()
    }
    expect(await listBranches()).toEqual(['pgb_branch_01234567_00000000'])
    await server.query('DROP DATABASE pgb_branch_01234567_00000000')
  })
})
