import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('a new room continues the numbers of the seed', async () => {
  expect((await call('POST', '/rooms', { name: 'Dungeon', price: 10 })).body.id).toBe(4)
  expect((await call('POST', '/rooms', { name: 'Tower', price: 0 })).status).toBe(400)
})
