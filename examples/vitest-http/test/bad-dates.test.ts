import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('dates must be dates, in order', async () => {
  expect((await call('POST', '/rooms/1/bookings', { guest: 'Ada', from: 'soon', to: 'later' })).status).toBe(400)
  expect((await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(5, 1) })).status).toBe(400)
  expect((await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(5, 5) })).status).toBe(400)
})
