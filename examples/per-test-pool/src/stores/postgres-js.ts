import postgres from 'postgres'
import type { Store, Todo } from '../store.ts'

const sql = postgres(process.env.DATABASE_URL ?? '', { max: 10 })

export const store: Store = {
  list: (name) =>
    sql<
      Todo[]
    >`SELECT t.id, title, done FROM todos t JOIN lists l ON l.id = list_id WHERE l.name = ${name} ORDER BY t.id`,
  async add(name, title) {
    const [todo] = await sql<Todo[]>`INSERT INTO todos (list_id, title)
      VALUES ((SELECT id FROM lists WHERE name = ${name}), ${title}) RETURNING id, title, done`
    return todo
  },
  async complete(id) {
    const [todo] = await sql<Todo[]>`UPDATE todos SET done = true WHERE id = ${id} RETURNING id, title, done`
    return todo
  },
  remove: async (id) => (await sql`DELETE FROM todos WHERE id = ${id}`).count > 0,
  async move(from, to) {
    return sql.begin(async (transaction) => {
      const { count } = await transaction`UPDATE todos SET list_id = (SELECT id FROM lists WHERE name = ${to})
        WHERE NOT done AND list_id = (SELECT id FROM lists WHERE name = ${from})`
      return count
    })
  },
}
