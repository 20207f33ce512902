import createKnex, { type Knex } from 'knex'
import type { Store, Todo } from '../store.ts'

const knex = createKnex({ client: 'pg', connection: process.env.DATABASE_URL ?? '', pool: { min: 0, max: 10 } })
const columns = ['todos.id', 'title', 'done']

async function findList(name: string, from: Knex = knex): Promise<number> {
  const list = await from('lists').where({ name }).first<{ id: number } | undefined>('id')
  if (list === undefined) throw Object.assign(new Error('no such list'), { code: '23502' })
  return list.id
}

export const store: Store = {
  list: (name) =>
    knex('todos').join('lists', 'lists.id', 'list_id').where({ name }).orderBy('todos.id').select<Todo[]>(columns),
  async add(name, title) {
    const list = await findList(name)
    const [todo] = await knex('todos').insert({ list_id: list, title }).returning<Todo[]>(columns)
    return todo
  },
  async complete(id) {
    const [todo] = await knex('todos').where({ id }).update({ done: true }).returning<Todo[]>(columns)
    return todo
  },
  remove: async (id) => (await knex('todos').where({ id }).delete()) > 0,
  async move(from, to) {
    let moved = 0
    await knex.transaction(async (transaction) => {
      const [source, target] = [await findList(from, transaction), await findList(to, transaction)]
      moved = await transaction('todos').where({ list_id: source, done: false }).update({ list_id: target })
    })
    return moved
  },
}
