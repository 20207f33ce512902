import { createServer, type Server } from 'node:http'
import { eq, sql } from 'drizzle-orm'
import { db } from './database.ts'
import { notes } from './schema.ts'

async function handle(method: string, path: string, text: string): Promise<[status: number, body: unknown]> {
  const [, id] = /^\/notes\/(\d+)\/like$/.exec(path) ?? []
  if (method === 'GET' && path === '/notes')
    return [
      200,
      await db.select({ id: notes.id, title: notes.title, likes: notes.likes }).from(notes).orderBy(notes.id),
    ]
  if (method === 'POST' && path === '/notes') {
    const { title } = JSON.parse(text) as { title: string }
    const [note] = await db.insert(notes).values({ title }).onConflictDoNothing().returning({ id: notes.id })
    return note === undefined ? [409, { error: 'there is such a note already' }] : [201, note]
  }
  if (method === 'POST' && id !== undefined) {
    const [note] = await db
      .update(notes)
      .set({ likes: sql`${notes.likes} + 1` })
      .where(eq(notes.id, Number(id)))
      .returning({ likes: notes.likes })
    return note === undefined ? [404, { error: 'no such note' }] : [200, note]
  }
  return [404, { error: 'no such route' }]
}

export function createApi(): Server {
  return createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const [status, body] = await handle(request.method ?? 'GET', request.url ?? '/', text)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}
