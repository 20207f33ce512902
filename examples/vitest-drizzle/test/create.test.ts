import { expect, test } from 'vitest'
import { startApi } from './client.ts'

const call = startApi()

test('there are no notes at first', async () => {
  expect((await call('GET', '/notes')).body).toEqual([])
})

test('a note can be written, once', async () => {
  expect(await call('POST', '/notes', { title: 'milk' })).toEqual({ status: 201, body: { id: 1 } })
  expect((await call('POST', '/notes', { title: 'milk' })).status).toBe(409)
})
