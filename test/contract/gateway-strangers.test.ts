import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, usersTable, type TestProject } from '../support/project.ts'
import { createStartup, frame, openWire } from '../support/wire.ts'

// What somebody gets from the gateway who has not logged in: no more than Postgres gives them.

let home: TestHome
let project: TestProject
let branch: TestBranch
/** Of the same template without a gateway: what Postgres itself says. */
let direct: TestBranch

const maxPendingLogins = 8

beforeAll(async () => {
  home = makeHome()
  project = await makeProject({
    'migrations/1.sql': `${usersTable} CREATE ROLE over LOGIN PASSWORD 'x' VALID UNTIL '2001-01-01';
      CREATE ROLE soon LOGIN PASSWORD 'x' VALID UNTIL '2100-01-01'; CREATE ROLE blank LOGIN;
      SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'x';`,
    'pg-branch.config.mjs': `export default { gateway: { maxPendingLogins: ${maxPendingLogins} }, pool: { size: 1 } }`,
  })
  branch = await leaseBranch(project.dir, { scope: 'test' })
  direct = await leaseBranch(project.dir)
})
afterAll(async () => {
  branch?.connection.close()
  direct?.connection.close()
  await project?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

async function openSocket(url = branch.url): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** @returns all that it is told until it is hung up on. */
async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  // Hung up on while it still talks, it may end by an error.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return text
}

function readMemoryMb(): number {
  const status = readFileSync(`/proc/${home.supervisorPid()}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

test.each([
  ['10,005 bytes', int32(10_005)],
  ['2 GB', int32(0x7f_ff_ff_ff)],
  ['less than nothing', int32(0xff_ff_ff_ff)],
  ['3 bytes', int32(3)],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
])('a startup packet that says it has %s ends it, as with Postgres', async (_title, start) => {
  for (const url of [branch.url, direct.url]) {
    const socket = await openSocket(url)
    socket.write(start)
    expect(await readAll(socket)).not.toMatch(/^R/)
  }
})

test.each([
  ['SSL', 80_877_103],
  ['GSS', 80_877_104],
])('whoever asks for %s again and again is hung up on, as by Postgres', async (_title, code) => {
  const request = Buffer.concat([int32(8), int32(code)])
  for (const url of [branch.url, direct.url]) {
    const socket = await openSocket(url)
    socket.write(Buffer.concat(Array.from({ length: 100_000 }, () => request)))
    expect((await readAll(socket)).replace(/E.*/s, '').length).toBeLessThan(3)
  }
})

test('a startup packet of just under 10,000 bytes is read', async () => {
  const long = { application_name: 'x'.repeat(9_000) }
  for (const url of [branch.url, direct.url]) {
    const wire = await openWire(url, { startup: long })
    expect(wire.messages.some(([type]) => type === 'Z')).toBe(true)
    wire.close()
  }
})

test('an answer of more than 65,535 bytes is not waited for', async () => {
  for (const url of [branch.url, direct.url]) {
    const socket = await openSocket(url)
    socket.write(createStartup({ user: 'postgres', database: 'postgres' }))
    await once(socket, 'data')
    socket.write(Buffer.concat([Buffer.from('p'), int32(65_536 + 4)]))
    expect(await readAll(socket)).toMatch(/08P01|28P01|^$/)
  }
})

test('what a stranger goes on sending is not kept', async () => {
  const before = readMemoryMb()
  const part = Buffer.alloc(1024 * 1024, 'x')
  const sockets = await Promise.all(Array.from({ length: 6 }, () => openSocket()))
  for (const socket of sockets) {
    socket.write(createStartup({ user: 'postgres', database: 'postgres' }))
    for (let megabyte = 0; megabyte < 64 && socket.writable; megabyte += 1) socket.write(part)
  }
  // While nothing more is read of them, others are let in.
  const client = new pg.Client(branch.url)
  await client.connect()
  expect(readMemoryMb() - before).toBeLessThan(120)
  await client.end()
  for (const socket of sockets) socket.destroy()
})

test('whoever says nothing stands in nobody’s way, however many they are', async () => {
  const silent = await Promise.all(Array.from({ length: 200 }, () => openSocket()))
  const half = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const socket = await openSocket()
      socket.write(createStartup({ user: 'postgres', database: 'postgres' }).subarray(0, 12))
      return socket
    }),
  )
  const client = new pg.Client({ connectionString: branch.url, connectionTimeoutMillis: 60_000 })
  await client.connect()
  expect((await client.query<{ n: number }>('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 100 }])
  await client.query('DELETE FROM users')
  await branch.connection.call.reset({ leaseId: branch.leaseId })
  expect((await client.query<{ n: number }>('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 100 }])
  await client.end()
  for (const socket of [...silent, ...half]) socket.destroy()
})

test('roles are let in as Postgres lets them in', async () => {
  const tryAs = async (url: string, user: string, password: string) => {
    const at = new URL(url)
    at.username = user
    at.password = password
    const client = new pg.Client(at.href)
    const outcome = await client.connect().then(
      () => 'in',
      (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
    )
    await client.end().catch(() => {})
    return outcome
  }
  for (const [user, password] of [
    ['over', 'x'],
    ['soon', 'x'],
    ['soon', 'y'],
    ['blank', 'x'],
    ['blank', ''],
    ['old', 'x'],
    ['nobody', 'x'],
    ['postgres', 'x'],
  ] as const) {
    expect({ user, password, outcome: await tryAs(branch.url, user, password) }).toEqual({
      user,
      password,
      outcome: await tryAs(direct.url, user, password),
    })
  }
})

/** @returns the salt and rounds with which a role would be asked, as the server's first SCRAM message says them. */
async function readSalt(user: string): Promise<string> {
  const socket = await openSocket()
  socket.write(createStartup({ user, database: 'postgres' }))
  await once(socket, 'data')
  const first = Buffer.from('n,,n=,r=abcdefghijklmnop')
  socket.write(frame('p', 'SCRAM-SHA-256\0', int32(first.length), first))
  const [data] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return /s=[^,]+,i=\d+/.exec(data.toString('latin1'))?.[0] ?? ''
}

test('a role that is not there has a salt that stays, as one that is', async () => {
  const [first, again, other, real] = [
    await readSalt('ghost'),
    await readSalt('ghost'),
    await readSalt('spirit'),
    await readSalt('soon'),
  ]
  expect(first).toMatch(/^s=[A-Za-z0-9+/=]{24},i=4096$/)
  expect(again).toBe(first)
  expect(other).not.toBe(first)
  expect(other.length).toBe(real.length)
})

test('a replication connection is refused without a word about pools', async () => {
  for (const replication of ['true', 'database']) {
    const wire = await openWire(branch.url, { startup: { replication } })
    const said = wire.messages.map(([, body]) => body).join('\n')
    expect(said).toMatch(/max_wal_senders/)
    expect(said).not.toMatch(/pool/)
    wire.close()
  }
})
