import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('a cancelled stay is free again', async () => {
  const { body } = await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 5) })
  expect((await call('DELETE', `/bookings/${body.id}`)).status).toBe(200)
  expect((await call('POST', '/rooms/1/bookings', { guest: 'Bob', ...june(1, 5) })).status).toBe(201)
})
