import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('a booking can be cancelled once', async () => {
  await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 5) })
  expect((await call('DELETE', '/bookings/1')).status).toBe(200)
  expect((await call('DELETE', '/bookings/1')).status).toBe(404)
})
