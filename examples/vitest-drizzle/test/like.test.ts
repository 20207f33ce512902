import { expect, test } from 'vitest'
import { db } from '../src/database.ts'
import { notes } from '../src/schema.ts'
import { startApi } from './client.ts'

const call = startApi()

test('twenty likes at the same time are twenty likes', async () => {
  await db.insert(notes).values([{ title: 'bread' }, { title: 'butter' }])
  await Promise.all(Array.from({ length: 20 }, () => call('POST', '/notes/2/like')))
  expect((await call('GET', '/notes')).body).toEqual([
    { id: 1, title: 'bread', likes: 0 },
    { id: 2, title: 'butter', likes: 20 },
  ])
})
