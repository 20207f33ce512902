import { Kysely, PostgresDialect, type Generated } from 'kysely'
import { Pool } from 'pg'
import type { Store } from '../store.ts'

interface Database {
  lists: { id: Generated<number>; name: string }
  todos: { id: Generated<number>; list_id: number; title: string; done: Generated<boolean> }
}

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
const columns = ['todos.id', 'title', 'done'] as const

async function findList(name: string, from: Pick<typeof db, 'selectFrom'> = db): Promise<number> {
  const list = await from.selectFrom('lists').select('id').where('name', '=', name).executeTakeFirst()
  if (list === undefined) throw Object.assign(new Error('no such list'), { code: '23502' })
  return list.id
}

export const store: Store = {
  list: (name) =>
    db
      .selectFrom('todos')
      .innerJoin('lists', 'lists.id', 'list_id')
      .select(columns)
      .where('name', '=', name)
      .orderBy('todos.id')
      .execute(),
  add: async (name, title) =>
    db
      .insertInto('todos')
      .values({ list_id: await findList(name), title })
      .returning(columns)
      .executeTakeFirstOrThrow(),
  complete: (id) =>
    db.updateTable('todos').set({ done: true }).where('id', '=', id).returning(columns).executeTakeFirst(),
  async remove(id) {
    const { numDeletedRows } = await db.deleteFrom('todos').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  },
  move: (from, to) =>
    db.transaction().execute(async (transaction) => {
      const [source, target] = [await findList(from, transaction), await findList(to, transaction)]
      const { numUpdatedRows } = await transaction
        .updateTable('todos')
        .set({ list_id: target })
        .where('list_id', '=', source)
        .where('done', '=', false)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    }),
}
