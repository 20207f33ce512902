import { expect, test } from 'vitest'
import { pool } from '../src/database.ts'
import { june, startService } from './client.ts'

const call = startService()

test('a booking is announced, to this file alone', async () => {
  const listener = await pool.connect()
  const heard: string[] = []
  listener.on('notification', ({ payload }) => heard.push(payload ?? ''))
  await listener.query('LISTEN bookings')
  await call('POST', '/rooms/1/bookings', { guest: 'Ada', ...june(1, 2) })
  await listener.query('SELECT 1')
  listener.release()
  expect(heard).toEqual(['Ada'])
})
