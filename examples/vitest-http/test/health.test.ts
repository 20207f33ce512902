import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('the service knows its database', async () => {
  expect((await call('GET', '/health')).body).toEqual({ database: 'postgres', rooms: 3 })
})
