import { expect, test } from 'vitest'
import { startService } from './client.ts'

const call = startService()

test('the demo rooms are there', async () => {
  const { body } = await call('GET', '/rooms')
  expect(body.map(({ name }: { name: string }) => name)).toEqual(['Attic', 'Balcony', 'Cellar'])
})
