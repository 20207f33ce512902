import { expect, test } from 'vitest'
import { june, startService } from './client.ts'

const call = startService()

test('revenue is price times nights', async () => {
  await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 4) })
  await call('POST', '/rooms/3/bookings', { guest: 'Bob', ...june(1, 2) })
  expect((await call('GET', '/reports/revenue')).body).toEqual([
    { name: 'Attic', revenue: 240 },
    { name: 'Cellar', revenue: 60 },
  ])
})
