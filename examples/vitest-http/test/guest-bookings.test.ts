import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('a guest sees only their own bookings', async () => {
  await call('POST', '/rooms/1/bookings', { guest: 'Ada L.', ...june(1, 2) })
  await call('POST', '/rooms/2/bookings', { guest: 'Bob', ...june(1, 2) })
  const { body } = await call('GET', '/guests/Ada%20L./bookings')
  expect(body).toEqual([{ id: 1, roomId: 1, guest: 'Ada L.', ...june(1, 2) }])
})
