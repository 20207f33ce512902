import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('an unknown route is not found', async () => {
  expect((await call('GET', '/nonsense')).status).toBe(404)
})
