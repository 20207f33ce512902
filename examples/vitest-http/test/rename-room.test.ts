import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('a room can get another name', async () => {
  expect((await call('PATCH', '/rooms/1', { name: 'Penthouse' })).body).toEqual({ id: 1, name: 'Penthouse', price: 80 })
})
