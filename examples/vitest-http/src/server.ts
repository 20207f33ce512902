import { createServer, type IncomingMessage, type Server } from 'node:http'
import { pool } from './database.ts'

interface Answer {
  status: number
  body: unknown
}

type Handler = (parameters: string[], body: Record<string, unknown>) => Promise<Answer>

const bookingColumns = 'id, room_id AS "roomId", guest, lower(stay)::text AS "from", upper(stay)::text AS "to"'

/** Postgres's own codes say which answer a violated rule deserves. */
const statusOfError: Record<string, number> = {
  '23P01': 409,
  '23505': 409,
  '23503': 404,
  '23514': 400,
  '22P02': 400,
  '22007': 400,
  '22000': 400,
  '23502': 400,
}

async function one(text: string, values: unknown[], status = 200): Promise<Answer> {
  const { rows } = await pool.query(text, values)
  return rows.length === 0 ? { status: 404, body: { error: 'not found' } } : { status, body: rows[0] }
}

async function many(text: string, values: unknown[] = []): Promise<Answer> {
  return { status: 200, body: (await pool.query(text, values)).rows }
}

const routes: Array<[method: string, path: RegExp, handler: Handler]> = [
  ['GET', /^\/health$/, () => one('SELECT current_database() AS database, count(*)::int AS rooms FROM rooms', [])],
  ['GET', /^\/rooms$/, () => many('SELECT * FROM rooms ORDER BY id')],
  [
    'POST',
    /^\/rooms$/,
    (_, { name, price }) => one('INSERT INTO rooms (name, price) VALUES ($1, $2) RETURNING *', [name, price], 201),
  ],
  ['GET', /^\/rooms\/(\d+)$/, ([id]) => one('SELECT * FROM rooms WHERE id = $1', [id])],
  [
    'PATCH',
    /^\/rooms\/(\d+)$/,
    ([id], { name }) => one('UPDATE rooms SET name = $2 WHERE id = $1 RETURNING *', [id, name]),
  ],
  ['DELETE', /^\/rooms$/, () => many('DELETE FROM rooms RETURNING id')],
  [
    'GET',
    /^\/guests\/([^/]+)\/bookings$/,
    ([guest]) =>
      many(`SELECT ${bookingColumns} FROM bookings WHERE guest = $1 ORDER BY stay`, [decodeURIComponent(guest ?? '')]),
  ],
  [
    'POST',
    /^\/rooms\/(\d+)\/bookings$/,
    ([id], { guest, from, to }) =>
      one(
        // The room is locked first: inserts that meet in an exclusion constraint end each other as deadlocks, a second each.
        `WITH room AS MATERIALIZED (SELECT id FROM rooms WHERE id = $1 FOR UPDATE)
         INSERT INTO bookings (room_id, guest, stay) SELECT id, $2, daterange($3, $4) FROM room RETURNING ${bookingColumns}`,
        [id, guest, from, to],
        201,
      ),
  ],
  ['DELETE', /^\/bookings\/(\d+)$/, ([id]) => one('DELETE FROM bookings WHERE id = $1 RETURNING id', [id])],
  [
    'GET',
    /^\/reports\/revenue$/,
    () =>
      many(
        'SELECT r.name, sum(r.price * (upper(stay) - lower(stay)))::int AS revenue FROM bookings JOIN rooms r ON r.id = room_id GROUP BY r.name ORDER BY r.name',
      ),
  ],
]

async function answer(request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://service')
  let text = ''
  for await (const chunk of request) text += String(chunk)
  for (const [method, path, handler] of routes) {
    const match = method === request.method ? path.exec(pathname) : null
    if (match === null) continue
    try {
      return await handler(match.slice(1), text === '' ? {} : (JSON.parse(text) as Record<string, unknown>))
    } catch (error) {
      const status = statusOfError[(error as { code?: string }).code ?? ''] ?? 500
      return { status, body: { error: (error as Error).message } }
    }
  }
  return { status: 404, body: { error: 'no such route' } }
}

export function createService(): Server {
  return createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
}
