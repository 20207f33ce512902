import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('of twenty who want the same night one gets it', async () => {
  const guests = Array.from({ length: 20 }, (_, index) => `guest ${index}`)
  const replies = await Promise.all(guests.map((guest) => call('POST', '/rooms/3/bookings', { guest, ...june(7, 8) })))
  expect(replies.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
    201,
    ...Array.from({ length: 19 }, () => 409),
  ])
})
