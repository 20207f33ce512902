import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('a room has a price', async () => {
  expect(await call('GET', '/rooms/2')).toEqual({ status: 200, body: { id: 2, name: 'Balcony', price: 120 } })
})
