import { and, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { boolean, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { Pool } from 'pg'
import type { Store } from '../store.ts'

const lists = pgTable('lists', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() })
const todos = pgTable('todos', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  listId: integer('list_id').notNull(),
  title: text().notNull(),
  done: boolean().notNull().default(false),
})

const db = drizzle(new Pool({ connectionString: process.env.DATABASE_URL, max: 10 }))
const columns = { id: todos.id, title: todos.title, done: todos.done }

async function findList(name: string, from: Pick<typeof db, 'select'> = db): Promise<number> {
  const [list] = await from.select().from(lists).where(eq(lists.name, name))
  // As the database itself says it of a list that is missing.
  if (list === undefined) throw Object.assign(new Error('no such list'), { code: '23502' })
  return list.id
}

export const store: Store = {
  list: (name) =>
    db
      .select(columns)
      .from(todos)
      .innerJoin(lists, eq(lists.id, todos.listId))
      .where(eq(lists.name, name))
      .orderBy(todos.id),
  async add(name, title) {
    const [todo] = await db
      .insert(todos)
      .values({ listId: await findList(name), title })
      .returning(columns)
    return todo
  },
  async complete(id) {
    const [todo] = await db.update(todos).set({ done: true }).where(eq(todos.id, id)).returning(columns)
    return todo
  },
  remove: async (id) => (await db.delete(todos).where(eq(todos.id, id)).returning(columns)).length > 0,
  move: (from, to) =>
    db.transaction(async (transaction) => {
      const [source, target] = [await findList(from, transaction), await findList(to, transaction)]
      const moved = await transaction
        .update(todos)
        .set({ listId: target })
        .where(and(eq(todos.listId, source), eq(todos.done, false)))
        .returning(columns)
      return moved.length
    }),
}
