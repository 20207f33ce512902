import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('without rooms there are no bookings', async () => {
  await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 2) })
  expect((await call('DELETE', '/rooms')).body).toHaveLength(3)
  expect((await call('GET', '/guests/Ada/bookings')).body).toEqual([])
})
