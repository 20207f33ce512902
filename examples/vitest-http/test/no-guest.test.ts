import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('a booking needs a guest', async () => {
  expect((await call('POST', '/rooms/1/bookings', { guest: '', ...june(1, 5) })).status).toBe(400)
  expect((await call('POST', '/rooms/1/bookings', june(1, 5))).status).toBe(400)
})
