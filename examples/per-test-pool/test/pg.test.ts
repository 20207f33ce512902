import { beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import type { Todo } from '../src/store.ts'
import { store } from '../src/stores/pg.ts'
import { describeService } from './behaviour.ts'

describeService(store)

const app = createApp(store)
const list = async (name: string) => (await app.inject(`/lists/${name}`)).json<Todo[]>()
const add = (name: string, title: string) => app.inject({ method: 'POST', url: `/lists/${name}`, payload: { title } })

describe('each of ten adds the same, and is the first to do so', () => {
  test.each(Array.from({ length: 10 }, (_, index) => index + 1))('number %i', async () => {
    expect((await add('work', 'the same')).json()).toMatchObject({ id: 4 })
    expect(await list('work')).toHaveLength(2)
  })
})

describe('each of ten only reads', () => {
  test.each(Array.from({ length: 10 }, (_, index) => index + 1))('number %i', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => list('home')))
    expect(answers.every((todos) => todos.length === 2)).toBe(true)
  })
})

describe('what beforeAll made is there for each of ten', () => {
  beforeAll(() => add('home', 'made before'))
  test.each(Array.from({ length: 10 }, (_, index) => index + 1))('number %i', async () => {
    expect(await list('home')).toHaveLength(3)
    await app.inject({ method: 'DELETE', url: '/todos/4' })
    expect(await list('home')).toHaveLength(2)
  })
})
