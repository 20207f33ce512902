import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('the first booking has the number 1', async () => {
  const { status, body } = await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 3) })
  expect(status).toBe(201)
  expect(body).toEqual({ id: 1, roomId: 1, guest: 'Ada', ...june(1, 3) })
})
