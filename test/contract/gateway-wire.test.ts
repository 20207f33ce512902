import { setTimeout as sleep } from 'node:timers/promises'
import { serialize as s } from 'pg-protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, type TestProject } from '../support/project.ts'
import { frame, gssRequest, openWire, sslRequest, type Message, type WireClient } from '../support/wire.ts'

const seed = {
  'migrations/1.sql': `CREATE TABLE t (id int PRIMARY KEY, body text);
    INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 1000) n;
    CREATE ROLE reader LOGIN PASSWORD 'known'; GRANT SELECT ON t TO reader;
    CREATE DATABASE other;`,
}

let home: TestHome
let project: TestProject
let direct: TestBranch
let proxied: TestBranch

beforeAll(async () => {
  home = makeHome()
  project = await makeProject(seed)
  direct = await leaseBranch(project.dir, { scope: 'file' })
  proxied = await leaseBranch(project.dir, { scope: 'test' })
})
afterAll(async () => {
  direct?.connection.close()
  proxied?.connection.close()
  await project?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

interface Options {
  startup?: Record<string, string>
  before?: Buffer[]
  password?: string
  user?: string
  database?: string
}

/** What differs from one connection to the next, whoever answers it. */
function normalise([type, body]: Message): Message {
  if (type === 'K') return [type, '(process and secret)']
  if (type === 'A') return [type, `(process)${body.slice(4)}`]
  if (type === 'R' && body.length > 4 && body.charCodeAt(3) >= 11) return [type, `(SCRAM ${body.charCodeAt(3)})`]
  // Where in Postgres's own source a password was found wrong, which the gateway finds itself.
  if (type === 'E' && body.includes('\0C28P01\0')) return [type, body.replace(/\0F\w+\.c\0L\d+\0R\w+/, '')]
  return [type, body]
}

async function record(url: string, options: Options, talk: (wire: WireClient) => Promise<void>): Promise<Message[]> {
  const at = new URL(url)
  if (options.user !== undefined) at.username = options.user
  if (options.database !== undefined) at.pathname = options.database
  const wire = await openWire(at.href, options)
  try {
    await talk(wire)
  } finally {
    wire.close()
  }
  await wire.until('closed')
  return wire.messages.map(normalise)
}

/** The session must look the same, message by message, and must have got somewhere. */
function same(name: string, talk: (wire: WireClient) => Promise<void>, options: Options = {}, least = 12): void {
  test(name, async () => {
    const expected = await record(direct.url, options, talk)
    expect(expected.length).toBeGreaterThanOrEqual(least)
    expect(await record(proxied.url, options, talk)).toEqual(expected)
  })
}

const ask = async (wire: WireClient, ...parts: Buffer[]) => {
  wire.send(...parts)
  await wire.until('Z')
}

same('simple queries, errors, notices, several statements, none', async (wire) => {
  await ask(wire, s.query('SELECT * FROM t WHERE id < 4 ORDER BY id'))
  await ask(wire, s.query(`DO $$ BEGIN RAISE NOTICE 'so'; RAISE WARNING 'it goes'; END $$`))
  await ask(wire, s.query('SELECT 1; SELECT 2; SELECT 1/0; SELECT 3'))
  await ask(wire, s.query(''))
  await ask(wire, s.query('SELEC'))
})

same('transactions and their states', async (wire) => {
  for (const text of [
    'BEGIN',
    'INSERT INTO t VALUES (-1)',
    'SELECT nothing',
    'SELECT 1',
    'ROLLBACK',
    'BEGIN; SAVEPOINT a',
    'ROLLBACK TO a',
    'COMMIT',
  ])
    await ask(wire, s.query(text))
})

same('the extended protocol: named and unnamed statements, portals in parts, descriptions, closing', async (wire) => {
  await ask(
    wire,
    s.parse({ name: 'a', text: 'SELECT * FROM t WHERE id > $1 ORDER BY id LIMIT 10', types: [23] }),
    s.describe({ type: 'S', name: 'a' }),
    s.sync(),
  )
  await ask(
    wire,
    s.bind({ statement: 'a', portal: 'p', values: ['5'] }),
    s.describe({ type: 'P', name: 'p' }),
    s.execute({ portal: 'p', rows: 3 }),
    s.execute({ portal: 'p', rows: 3 }),
    s.execute({ portal: 'p' }),
    s.sync(),
  )
  await ask(
    wire,
    s.bind({ statement: 'a', values: ['7'], binary: true }),
    s.execute(),
    s.close({ type: 'P' }),
    s.sync(),
  )
  await ask(wire, s.parse({ text: 'SELECT $1::text' }), s.bind({ values: [null] }), s.execute(), s.sync())
  await ask(wire, s.bind({ values: ['again'] }), s.execute(), s.sync())
  await ask(wire, s.close({ type: 'S', name: 'a' }), s.sync())
  await ask(wire, s.bind({ statement: 'a', values: ['7'] }), s.execute(), s.sync())
  await ask(wire, s.parse({ name: 'b', text: 'SELECT 1' }), s.parse({ name: 'b', text: 'SELECT 2' }), s.sync())
  await ask(wire, s.bind({ statement: 'b' }), s.execute(), s.sync())
  await ask(wire, s.query('DEALLOCATE ALL'))
  await ask(wire, s.bind({ statement: 'b' }), s.execute(), s.sync())
})

same('an error in the middle: the rest is skipped up to Sync', async (wire) => {
  await ask(
    wire,
    s.parse({ name: 'x', text: 'SELECT 1/$1::int' }),
    s.bind({ statement: 'x', values: ['0'] }),
    s.execute(),
    s.parse({ name: 'y', text: 'SELECT 1' }),
    s.sync(),
  )
  await ask(wire, s.bind({ statement: 'x', values: ['1'] }), s.execute(), s.sync())
  await ask(wire, s.bind({ statement: 'y' }), s.execute(), s.sync())
})

same('a pipeline of cycles in one write, and Flush without Sync', async (wire) => {
  const cycle = (n: number) => Buffer.concat([s.parse({ text: `SELECT ${n}` }), s.bind(), s.execute(), s.sync()])
  wire.send(cycle(1), cycle(2), s.query('SELECT 3'), cycle(4))
  for (let count = 0; count < 4; count += 1) await wire.until('Z')
  wire.send(s.parse({ text: 'SELECT 5' }), s.describe({ type: 'S' }), s.flush())
  await wire.until('T')
  await ask(wire, s.bind(), s.execute(), s.sync())
})

same('COPY out, in, failed by the client, failed by the server', async (wire) => {
  await ask(wire, s.query('COPY (SELECT * FROM t WHERE id < 50 ORDER BY id) TO STDOUT'))
  wire.send(s.query('COPY t FROM STDIN'))
  await wire.until('G')
  await ask(wire, s.copyData(Buffer.from('2001\tone\n20')), s.copyData(Buffer.from('02\ttwo\n')), s.copyDone())
  wire.send(s.query('COPY t FROM STDIN'))
  await wire.until('G')
  await ask(wire, s.copyData(Buffer.from('2003\tthree\n')), s.copyFail('no more'))
  wire.send(s.query('COPY t FROM STDIN'))
  await wire.until('G')
  await ask(wire, s.copyData(Buffer.from('no number\tthree\n')), s.copyDone())
  await ask(wire, s.query('DELETE FROM t WHERE id > 2000'))
})

same('COPY in by Execute, with the Sync that Postgres ignores', async (wire) => {
  wire.send(s.parse({ text: 'COPY t FROM STDIN' }), s.bind(), s.execute(), s.sync())
  await wire.until('G')
  await ask(wire, s.copyData(Buffer.from('3001\tone\n')), s.copyDone(), s.sync())
  await ask(wire, s.query('DELETE FROM t WHERE id > 3000'))
})

same('a large result, and one large value both ways', async (wire) => {
  await ask(wire, s.query('SELECT n, md5(n::text) FROM generate_series(1, 60000) n'))
  await ask(
    wire,
    s.parse({ text: 'SELECT $1::text, length($1::text)' }),
    s.bind({ values: ['x'.repeat(3_000_000)] }),
    s.execute(),
    s.sync(),
  )
})

same('a client that sends byte by byte, and one that sends all at once', async (wire) => {
  const bytes = Buffer.concat([
    s.parse({ name: 'slow', text: 'SELECT $1::int' }),
    s.bind({ statement: 'slow', values: ['1'] }),
    s.execute(),
    s.sync(),
  ])
  for (const byte of bytes) {
    wire.send(Buffer.from([byte]))
    await sleep(0)
  }
  await wire.until('Z')
  await ask(wire, bytes)
})

same('LISTEN, NOTIFY, reported settings', async (wire) => {
  await ask(wire, s.query('LISTEN a; LISTEN b'))
  await ask(wire, s.query(`NOTIFY a, 'one'; NOTIFY b`))
  await ask(wire, s.query(`SET TimeZone = 'Europe/Berlin'; SET application_name = 'wire'; SET work_mem = '1MB'`))
  await ask(wire, s.query('SHOW TimeZone'))
  await ask(wire, s.query('RESET ALL; UNLISTEN *'))
})

same('a function call', async (wire) => {
  const call = Buffer.from([0, 0, 0, 177, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0x34, 0, 0, 0, 1, 0x35, 0, 0])
  await ask(wire, frame('F', call))
})

same('a server that ends the connection', async (wire) => {
  wire.send(s.query('SELECT pg_terminate_backend(pg_backend_pid())'))
  await wire.until('closed')
})

same('a message that is none', async (wire) => {
  wire.send(frame('?', 'what'))
  await wire.until('closed')
})

same(
  'parameters of the start, requests for encryption',
  async (wire) => {
    await ask(
      wire,
      s.query(
        `SELECT current_setting('work_mem'), current_setting('application_name'), current_setting('client_encoding')`,
      ),
    )
    await ask(wire, s.query(`SELECT chr(228)`))
  },
  {
    before: [sslRequest, gssRequest],
    startup: { application_name: 'wire', options: '-c work_mem=2MB -c search_path=public', client_encoding: 'LATIN1' },
  },
)

same(
  'another role and another database',
  async (wire) => {
    await ask(wire, s.query('SELECT current_user, session_user, current_database()'))
    await ask(wire, s.query('CREATE TABLE nothing ()'))
  },
  { user: 'reader', password: 'known', database: 'other' },
)

same('a wrong password', async () => {}, { password: 'wrong' }, 4)
same('a role that does not exist', async () => {}, { user: 'nobody', password: 'wrong' }, 4)
same('a role that may not log in', async () => {}, { user: 'pg_monitor', password: 'wrong' }, 4)
same('a database that does not exist', async () => {}, { database: 'nothing' }, 5)
same('a parameter that does not exist', async () => {}, { startup: { nonsense: '1' } }, 5)
