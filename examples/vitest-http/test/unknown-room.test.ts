import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('an unknown room is not found', async () => {
  expect((await call('GET', '/rooms/99')).status).toBe(404)
  expect((await call('POST', '/rooms/99/bookings', { guest: 'Ada', ...june(1, 2) })).status).toBe(404)
})
