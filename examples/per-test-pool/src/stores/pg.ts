import pg from 'pg'
import type { Store, Todo } from '../store.ts'

/** One pool for the whole service, made when this module is first imported, as most services do. */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })

const rows = async (text: string, values: unknown[]) => (await pool.query<Todo>(text, values)).rows

export const store: Store = {
  list: (name) =>
    rows('SELECT t.id, title, done FROM todos t JOIN lists l ON l.id = list_id WHERE l.name = $1 ORDER BY t.id', [
      name,
    ]),
  async add(name, title) {
    const [todo] = await rows(
      'INSERT INTO todos (list_id, title) VALUES ((SELECT id FROM lists WHERE name = $1), $2) RETURNING id, title, done',
      [name, title],
    )
    return todo
  },
  async complete(id) {
    return (await rows('UPDATE todos SET done = true WHERE id = $1 RETURNING id, title, done', [id]))[0]
  },
  remove: async (id) => (await rows('DELETE FROM todos WHERE id = $1 RETURNING id, title, done', [id])).length > 0,
  async move(from, to) {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const { rowCount } = await client.query(
        `UPDATE todos SET list_id = (SELECT id FROM lists WHERE name = $2)
         WHERE NOT done AND list_id = (SELECT id FROM lists WHERE name = $1)`,
        [from, to],
      )
      await client.query('COMMIT')
      return rowCount ?? 0
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  },
}
