import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('one guest may arrive when another leaves', async () => {
  expect((await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 5) })).status).toBe(201)
  expect((await call('POST', '/rooms/1/bookings', { guest: 'Bob', ...june(5, 6) })).status).toBe(201)
})
