import { serialize } from 'pg-protocol'
import { expect, test } from 'vitest'
import { createFlow, type Flow } from './flow.ts'

const ready = (status: 'I' | 'T' | 'E') => Buffer.from([0x5a, 0, 0, 0, 5, status.charCodeAt(0)])
const parseComplete = Buffer.from([0x31, 0, 0, 0, 4])
const errorResponse = Buffer.from([0x45, 0, 0, 0, 5, 0])
const copyInResponse = Buffer.from([0x47, 0, 0, 0, 7, 0, 0, 0])
const complete = (tag: string) => {
  const message = Buffer.alloc(6 + tag.length)
  message[0] = 0x43
  message.writeInt32BE(5 + tag.length, 1)
  message.write(tag, 5)
  return message
}

const parse = (name: string, text: string) => Buffer.from(serialize.parse({ name, text }))
const bind = (statement: string) => Buffer.from(serialize.bind({ statement }))
const sync = () => Buffer.from(serialize.sync())
const query = (text: string) => Buffer.from(serialize.query(text))

function follow(): {
  flow: Flow
  texts: string[]
  client(...messages: Buffer[]): void
  server(...messages: Buffer[]): void
} {
  const texts: string[] = []
  const flow = createFlow({ onStatement: (text) => void texts.push(text) })
  return {
    flow,
    texts,
    client: (...messages) => messages.forEach((message) => flow.onClient(message)),
    server: (...messages) => messages.forEach((message) => flow.onServer(message)),
  }
}

test('a connection is idle until something is asked, and again when all of it is answered', () => {
  const { flow, client, server, texts } = follow()
  expect(flow.isIdle).toBe(true)
  client(query('SELECT 1'), query('SELECT 2'))
  server(ready('I'))
  expect(flow.isIdle).toBe(false)
  server(ready('I'))
  expect(flow.isIdle).toBe(true)
  expect(texts).toEqual(['SELECT 1', 'SELECT 2'])
})

test('messages of the extended protocol without a Sync keep it busy', () => {
  const { flow, client, server } = follow()
  client(parse('', 'SELECT 1'))
  server(parseComplete)
  expect(flow.isIdle).toBe(false)
  client(sync())
  server(ready('I'))
  expect(flow.isIdle).toBe(true)
})

test('an open transaction is not idle, nor is one that has failed', () => {
  const { flow, client, server } = follow()
  client(query('BEGIN'))
  server(ready('T'))
  expect([flow.isIdle, flow.isInTransaction]).toEqual([false, true])
  client(query('SELECT 1/0'))
  expect(flow.isInTransaction).toBe(false)
  server(errorResponse, ready('E'))
  expect(flow.isInTransaction).toBe(true)
  client(query('ROLLBACK'))
  server(ready('I'))
  expect([flow.isIdle, flow.isInTransaction]).toEqual([true, false])
})

test('a named statement is parsed on the next server before it is used there, once, and the client hears of it once', () => {
  const { flow, client, server } = follow()
  client(parse('one', 'SELECT 1'), sync())
  expect(flow.onServer(parseComplete)).toBe('pass')
  server(ready('I'))
  flow.moveHome()
  expect(flow.onClient(bind('one'))).toEqual([parse('one', 'SELECT 1'), bind('one')])
  expect(flow.onClient(bind('one'))).toBe('pass')
  expect(flow.onServer(parseComplete)).toBe('swallow')
})

test('a statement whose Parse failed is not there, neither at its first home nor at the next', () => {
  const { flow, client, server } = follow()
  client(parse('one', 'SELEC 1'), bind('one'), sync())
  server(errorResponse, ready('I'))
  flow.moveHome()
  expect(flow.onClient(bind('one'))).toBe('pass')
})

test('one that could not be parsed at the next home is parsed again when it is used again', () => {
  const { flow, client, server } = follow()
  client(parse('one', 'SELECT * FROM t'), sync())
  server(parseComplete, ready('I'))
  flow.moveHome()
  client(bind('one'), sync())
  server(errorResponse, ready('I'))
  expect(flow.onClient(bind('one'))).toEqual([parse('one', 'SELECT * FROM t'), bind('one')])
})

test.each(['DEALLOCATE ALL', 'DISCARD ALL'])('after %s no statement is known', (tag) => {
  const { flow, client, server } = follow()
  client(parse('one', 'SELECT 1'), sync())
  server(parseComplete, ready('I'))
  client(query(tag))
  server(complete(tag), ready('I'))
  flow.moveHome()
  expect(flow.onClient(bind('one'))).toBe('pass')
})

test('a COPY that takes rows ignores the Sync that was sent behind it', () => {
  const { flow, client, server } = follow()
  client(parse('', 'COPY t FROM STDIN'), bind(''), sync())
  server(parseComplete, copyInResponse)
  expect(flow.isIdle).toBe(false)
  client(Buffer.from(serialize.copyDone()), sync())
  server(complete('COPY 1'), ready('I'))
  expect(flow.isIdle).toBe(true)
})

test('settings of the user’s own, and what may leave a state, are noticed', () => {
  const { flow, client } = follow()
  client(query('SELECT 1'))
  expect(flow.mayHaveState).toBe(false)
  client(query("SET app.tenant = '1'"))
  expect(flow.mayHaveState).toBe(true)
  expect([...flow.settingNames]).toEqual(['app.tenant'])
})
