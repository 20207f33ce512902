import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestSchemas } from '../../packages/pg-branch/dist/protocol/request-schemas.js'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, usersTable, type TestProject } from '../support/project.ts'
import { openRaw, type RawClient } from '../support/raw-supervisor.ts'
import { countRounds } from '../support/rounds.ts'

// Whoever can reach the supervisor's socket may say anything: it is refused, and nobody else notices.

let home: TestHome
let project: TestProject
let branch: TestBranch
let pid: number | undefined

beforeAll(async () => {
  home = makeHome()
  project = await makeProject({ 'migrations/1.sql': usersTable })
  branch = await leaseBranch(project.dir)
  pid = home.supervisorPid()
})
afterAll(async () => {
  branch?.connection.close()
  await project?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

async function expectUnharmed(): Promise<void> {
  expect(home.supervisorPid()).toBe(pid)
  const { projects } = await branch.connection.call.status()
  expect(projects[0]?.leases).toBe(1)
}

function readMemoryMb(): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

/** @returns the error that a line says; undefined if it says none. */
function readError(line: string | undefined): { code?: string; message?: string } | undefined {
  if (line === undefined) return undefined
  return (JSON.parse(line) as { e?: { code?: string; message?: string } }).e
}

test('a line that is no message is refused with the reason, and that client alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.json(), fc.string(), fc.constantFrom('null', '[]', '{}', '1', '"x"', '{"t":"q"}', '')),
      async (text) => {
        const line = text.replaceAll('\n', ' ')
        const client = await openRaw(home)
        client.send(line)
        const error = readError(await client.next())
        expect(error).toMatchObject({ code: 'PGB_PROTOCOL' })
        client.close()
      },
    ),
    { numRuns: countRounds(60) },
  )
  await expectUnharmed()
})

const methods = Object.keys(requestSchemas)

test('a method that is not there, or belongs to every object, is refused', async () => {
  for (const method of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'then', 'nothing', '']) {
    const client = await openRaw(home)
    client.send(JSON.stringify({ t: 'q', i: '1', m: method, a: [] }))
    expect({ method, error: readError(await client.next()) }).toMatchObject({ error: { code: 'PGB_PROTOCOL' } })
    client.close()
  }
  await expectUnharmed()
})

test('every method refuses arguments of every other shape', async () => {
  const wrong = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('../../../etc', '/etc/passwd', 'a\0b', 'x'.repeat(2_000), -1, 1e308, null, [], {}),
  )
  const field = fc.constantFrom(
    'rootDir',
    'name',
    'leaseId',
    'runId',
    'scope',
    'env',
    'withheld',
    'options',
    'version',
    'ttlMs',
    'untilMs',
    'samples',
    'key',
    '__proto__',
  )
  const request = fc.oneof(
    { weight: 1, arbitrary: fc.array(wrong, { maxLength: 3 }) },
    { weight: 3, arbitrary: fc.dictionary(field, wrong).map((entries) => [entries]) },
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), request, async (method, args) => {
      // The only ones that such arguments are right for, and what they do is wanted.
      if (args.length === 0 || ['stay', 'shutdown'].includes(method)) return
      const client = await openRaw(home)
      client.send(JSON.stringify({ t: 'q', i: '1', m: method, a: args }))
      const line = await client.next()
      const error = readError(line)
      // Where every argument may be left out, nothing is wrong with others.
      if (error === undefined && ['listBranches', 'takeRun'].includes(method)) return client.close()
      // A lease may have ended before it is given back: that there is none of this name is no error.
      if (error === undefined && method === 'release') return client.close()
      // Some of them are requests for what there is not.
      expect({ method, args, line, code: error?.code }).toMatchObject({
        code: expect.stringMatching(/^PGB_(?!INTERNAL)/) as string,
      })
      expect(line).not.toMatch(/\\n {4}at /)
      client.close()
    }),
    { numRuns: countRounds(120) },
  )
  await expectUnharmed()
})

test('nothing is answered to a client of another version, or that has not said its own', async () => {
  const silent = await openRaw(home, { greets: false })
  silent.send(JSON.stringify({ t: 'q', i: '1', m: 'status', a: [] }))
  expect(readError(await silent.next())).toMatchObject({ code: 'PGB_SUPERVISOR_VERSION' })
  for (const version of ['0.0.0-other', '', 7]) {
    const other = await openRaw(home, { greets: false })
    other.send(JSON.stringify({ t: 'q', i: '1', m: 'hello', a: [{ version }] }))
    expect(readError(await other.next())?.code).toMatch(/^PGB_(SUPERVISOR_VERSION|PROTOCOL)$/)
  }
  await expectUnharmed()
})

test('a line of 100 MB is not kept', async () => {
  const before = readMemoryMb()
  const client = await openRaw(home)
  const part = 'x'.repeat(1024 * 1024)
  for (let megabyte = 0; megabyte < 100 && !client.isClosed(); megabyte += 1) {
    if (!client.socket.write(part))
      await new Promise((resolve) => client.socket.once('drain', resolve).once('close', resolve))
  }
  expect(readError(await client.next())).toMatchObject({
    code: 'PGB_PROTOCOL',
    message: expect.stringContaining('longer than') as string,
  })
  client.close()
  expect(readMemoryMb() - before).toBeLessThan(150)
  await expectUnharmed()
})

test('a client that never reads is given up, and others go on', async () => {
  const client = await openRaw(home)
  client.socket.pause()
  const question = `${JSON.stringify({ t: 'q', i: '1', m: 'nothing there', a: [] })}\n${JSON.stringify({ t: 'q', i: '2', m: 'status', a: [] })}\n`
  for (let round = 0; round < 20_000 && !client.isClosed(); round += 1) client.socket.write(question)
  await expectUnharmed()
  client.close()
})

test('three thousand connections at once', async () => {
  const clients: RawClient[] = []
  try {
    for (let count = 0; count < 3_000; count += 1) clients.push(await openRaw(home, { greets: false }))
    await expectUnharmed()
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  } finally {
    for (const client of clients) client.close()
  }
})
