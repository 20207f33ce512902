import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable, type TestProject } from '../support/project.ts'
import { makeServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await makeServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const seed = `${usersTable}CREATE SEQUENCE numbers; CREATE UNLOGGED TABLE scratch (n int); CREATE SCHEMA app;`
const files = { 'migrations/1.sql': seed }

/** What every way to make branches must do; a new one is one line here. */
const strategies: Record<
  string,
  {
    config: string
    lease(project: TestProject, scope?: 'file' | 'test'): Promise<TestBranch>
    left(): Promise<unknown[]>
  }
> = {
  cluster: {
    config: '{ "seed": { "kind": "sql", "globs": ["migrations/*.sql"] } }',
    lease: (project, scope = 'file') => leaseBranch(project.dir, { scope }),
    left: async () => [],
  },
  database: {
    config: 'server',
    lease: (project, scope = 'file') => leaseBranch(project.dir, { scope, withheld: { ADMIN_URL: server.url } }),
    left: async () => (await server.listDatabases()).filter((name) => !name.startsWith('pgb_template_')),
  },
}

describe.each(Object.entries(strategies))('strategy %s', (_, { config, lease, left }) => {
  const make = () =>
    makeProject(
      config === 'server'
        ? {
            ...files,
            'pg-branch.config.mjs': `export default { server: ${JSON.stringify(sentinel('ADMIN_URL'))}, seed: { kind: 'sql', globs: ['migrations/*.sql'] } }`,
          }
        : { ...files, 'pg-branch.config.json': config },
    )

  test('what one branch writes no other sees, and every branch starts from the template', async () => {
    await using home = makeHome()
    await using project = await make()
    {
      await using one = await lease(project)
      await using two = await lease(project)
      await one.query('DELETE FROM users; INSERT INTO scratch VALUES (1); DROP SCHEMA app; CREATE TABLE more (n int)')
      await one.query("SELECT nextval('numbers'), nextval('numbers')")
      await using three = await lease(project)
      for (const other of [two, three]) {
        expect(
          await other.query(
            "SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM scratch) AS scratch, nextval('numbers')::int AS number, to_regnamespace('app')::text AS app, to_regclass('more')::text AS more",
          ),
        ).toEqual([{ users: 100, scratch: 0, number: 1, app: 'app', more: null }])
      }
    }
    expect(await home.end()).toEqual([])
    expect(await left()).toEqual([])
  })

  test('its address is whole: the URL and the PG* variables lead to the same place', async () => {
    await using _home = makeHome()
    await using project = await make()
    await using branch = await lease(project)
    const { PGHOST: host, PGPORT: port, PGUSER: user, PGPASSWORD: password, PGDATABASE: database } = branch.variables
    const client = new pg.Client({ host, port: Number(port), user, password, database })
    await client.connect()
    await client.query("INSERT INTO users (name) VALUES ('by variables')")
    await client.end()
    expect(await branch.query("SELECT count(*)::int AS n FROM users WHERE name = 'by variables'")).toEqual([{ n: 1 }])
  })

  test('twenty holders one after the other, five at once, never get the same branch', async () => {
    await using home = makeHome()
    await using project = await make()
    const ids: string[] = []
    const work = async () => {
      for (let round = 0; round < 4; round += 1) {
        await using branch = await lease(project)
        ids.push(branch.branchId)
        expect(await branch.query('DELETE FROM users RETURNING id')).toHaveLength(100)
      }
    }
    await Promise.all(Array.from({ length: 5 }, work))
    expect(new Set(ids).size).toBe(20)
    expect(await home.end()).toEqual([])
    expect(await left()).toEqual([])
  })

  test('snapshots: restored, forked, and gone with their last user', async () => {
    await using home = makeHome()
    await using project = await make()
    {
      await using branch = await lease(project, 'test')
      const { call } = branch.connection
      const { leaseId } = branch
      const count = async (url?: string) => (await branch.query('SELECT count(*)::int AS n FROM users', url))[0]?.n
      await branch.query('DELETE FROM users WHERE id > 10')
      await call.snapshot({ leaseId, name: 'ten' })
      await branch.query(
        'DELETE FROM users WHERE id > 5; TRUNCATE scratch; DROP SCHEMA app; CREATE TABLE more AS SELECT 7 AS n',
      )
      await call.snapshot({ leaseId, name: 'five' })
      await call.reset({ leaseId, to: 'ten' })
      expect(await count()).toBe(10)
      expect((await call.reset({ leaseId, to: 'five' })).rung).toBe('fork')
      expect(await count()).toBe(5)
      expect(await branch.query('SELECT n FROM more')).toEqual([{ n: 7 }])
      const fork = await call.fork({ leaseId, holder: 'a test', from: 'ten' })
      await call.dropSnapshot({ leaseId, name: 'ten' })
      await call.reset({ leaseId, next: 'next' })
      expect(await count()).toBe(100)
      expect(await count(fork.variables.DATABASE_URL)).toBe(10)
      await expect(call.reset({ leaseId, to: 'ten' })).rejects.toThrow(
        /no snapshot "ten" of this branch[^]*Taken were: five/,
      )
      // In place of the earlier one of that name.
      await call.snapshot({ leaseId, name: 'five' })
      await call.reset({ leaseId, to: 'five' })
      expect(await count()).toBe(100)
    }
    expect(await home.end()).toEqual([])
    expect(await left()).toEqual([])
  })
})

/** What a variable holds where a configuration is loaded. */
function sentinel(variable: string): string {
  return `postgresql://pg-branch:none@no-pg-branch-behind-this-variable.invalid:1/no-branch?application_name=${variable}`
}
