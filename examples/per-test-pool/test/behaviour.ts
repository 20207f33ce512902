import { expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import type { Store, Todo } from '../src/store.ts'

/** Ten tests of a service. Nothing in them, or around them, cleans up. */
export function describeService(store: Store): void {
  const app = createApp(store)
  const list = async (name: string) => (await app.inject(`/lists/${name}`)).json<Todo[]>()
  const add = (name: string, title: string) => app.inject({ method: 'POST', url: `/lists/${name}`, payload: { title } })
  const titles = async (name: string) => (await list(name)).map(({ title }) => title)

  test('a list', async () => {
    expect(await titles('home')).toEqual(['water the plants', 'call mother'])
  })
  test('another list', async () => {
    expect(await list('work')).toEqual([{ id: 3, title: 'write the tests', done: false }])
  })
  test('a list that does not exist is empty', async () => {
    expect(await list('nowhere')).toEqual([])
  })
  test('adding: the fourth todo there ever was', async () => {
    const answer = await add('work', 'run them')
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ id: 4, title: 'run them', done: false })
    expect(await titles('work')).toEqual(['write the tests', 'run them'])
  })
  test('adding again: the fourth todo there ever was', async () => {
    expect((await add('home', 'sleep')).json()).toEqual({ id: 4, title: 'sleep', done: false })
  })
  test('without a title', async () => {
    expect((await add('home', '')).statusCode).toBe(400)
  })
  test('to a list that does not exist', async () => {
    expect((await add('nowhere', 'be found')).statusCode).toBe(404)
  })
  test('completing', async () => {
    expect((await app.inject({ method: 'POST', url: '/todos/1/done' })).json()).toMatchObject({ id: 1, done: true })
    expect((await list('home')).map(({ done }) => done)).toEqual([true, false])
  })
  test('removing', async () => {
    expect((await app.inject({ method: 'DELETE', url: '/todos/1' })).statusCode).toBe(204)
    expect((await app.inject({ method: 'DELETE', url: '/todos/1' })).statusCode).toBe(404)
    expect(await titles('home')).toEqual(['call mother'])
  })
  test('moving what is not done, in a transaction', async () => {
    await app.inject({ method: 'POST', url: '/todos/1/done' })
    const answer = await app.inject({ method: 'POST', url: '/lists/home/move', payload: { to: 'work' } })
    expect(answer.json()).toEqual({ moved: 1 })
    expect(await titles('home')).toEqual(['water the plants'])
    expect(await titles('work')).toEqual(['call mother', 'write the tests'])
  })
}
