import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import pg from 'pg'
import { makeHome } from '../support/home.ts'
import { leaseBranch } from '../support/branch.ts'
import { findPids, readProcess } from '../support/processes.ts'
import { makeProject, usersTable } from '../support/project.ts'

describe('two branches of one template', () => {
  test('share nothing that a client can change', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'migrations/1.sql': `${usersTable}CREATE UNLOGGED TABLE scratch (n int); CREATE SEQUENCE numbers;`,
    })
    await using one = await leaseBranch(project.dir)
    await using two = await leaseBranch(project.dir)

    await one.query('DELETE FROM users')
    expect(await two.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])

    await one.query("SELECT nextval('numbers'), nextval('numbers')")
    expect(await two.query("SELECT nextval('numbers')::int AS n")).toEqual([{ n: 1 }])

    await one.query("CREATE ROLE someone LOGIN PASSWORD 'x'; ALTER ROLE postgres SET search_path = pg_catalog")
    expect(await two.query("SELECT count(*)::int AS n FROM pg_roles WHERE rolname = 'someone'")).toEqual([{ n: 0 }])
    expect(await two.query('SHOW search_path')).toEqual([{ search_path: '"$user", public' }])

    await one.query("ALTER SYSTEM SET work_mem = '99MB'")
    await one.query('SELECT pg_reload_conf()')
    await expect.poll(() => one.query('SHOW work_mem')).toEqual([{ work_mem: '99MB' }])
    await two.query('SELECT pg_reload_conf()')
    expect(await two.query('SHOW work_mem')).toEqual([{ work_mem: '4MB' }])

    await one.query('CREATE DATABASE another')
    expect(await two.query("SELECT count(*)::int AS n FROM pg_database WHERE datname = 'another'")).toEqual([{ n: 0 }])

    await one.query('INSERT INTO public.scratch VALUES (1)')
    expect(await two.query('SELECT count(*)::int AS n FROM scratch')).toEqual([{ n: 0 }])

    const heard: string[] = []
    const listener = new pg.Client(two.url)
    await listener.connect()
    listener.on('notification', ({ payload }) => heard.push(payload ?? ''))
    await listener.query('LISTEN news')
    await one.query("NOTIFY news, 'from one'")
    await two.query("NOTIFY news, 'from two'")
    await listener.query('SELECT 1')
    expect(heard).toEqual(['from two'])
    await listener.end()
  })

  test('cannot be entered with the other’s password, nor without one, nor from outside', async () => {
    await using _home = makeHome()
    await using project = await makeProject({ 'migrations/1.sql': usersTable })
    await using one = await leaseBranch(project.dir)
    await using two = await leaseBranch(project.dir)
    const [first, second] = [new URL(one.url), new URL(two.url)]
    expect(first.password).toMatch(/^[0-9a-f]{32}$/)
    expect(first.password).not.toBe(second.password)
    first.password = second.password
    await expect(connectAndEnd(first.href)).rejects.toThrow(/password authentication failed/)
    first.password = ''
    await expect(connectAndEnd(first.href)).rejects.toThrow()
    expect(await one.query('SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
    // Its socket lets everyone in, and its directory nobody but the server's own user.
    const [row] = await one.query('SHOW unix_socket_directories')
    const { mode, uid } = statSync(String(row?.unix_socket_directories))
    expect(mode & 0o777).toBe(0o700)
    expect(uid).toBe(statSync(String((await one.query('SHOW data_directory'))[0]?.data_directory)).uid)
  })

  test('no password stands in a list of processes or in a log', async () => {
    await using home = makeHome()
    await using project = await makeProject({ 'migrations/1.sql': usersTable })
    await using branch = await leaseBranch(project.dir)
    const { password } = new URL(branch.url)
    const findCommands = (word: string) => findPids((pid) => readProcess(pid, 'cmdline').includes(word))
    expect(findCommands('postgres')).not.toEqual([])
    expect(findCommands(password)).toEqual([])
    expect(home.readLog()).not.toContain(password)
  })

  test('planner statistics are there and a first read writes nothing', async () => {
    await using _home = makeHome()
    await using project = await makeProject({ 'migrations/1.sql': usersTable })
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query("SELECT reltuples::int AS n FROM pg_class WHERE relname = 'users'")).toEqual([{ n: 100 }])
    const plan = await branch.query(
      'EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off) SELECT * FROM users',
    )
    expect(JSON.stringify(plan)).toContain('Buffers')
    expect(JSON.stringify(plan)).not.toMatch(/dirtied|written/)
  })
})

async function connectAndEnd(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.end()
}
