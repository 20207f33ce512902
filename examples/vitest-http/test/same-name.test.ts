import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('two rooms cannot have one name', async () => {
  expect((await call('POST', '/rooms', { name: 'Attic', price: 1 })).status).toBe(409)
  expect((await call('PATCH', '/rooms/2', { name: 'Attic' })).status).toBe(409)
})
