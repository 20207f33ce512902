import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'

// Needs IntegreSQL and its PostgreSQL, started by somebody, e.g. with Docker Compose.
const base = process.env.INTEGRESQL_URL ?? 'http://127.0.0.1:5000/api/v1'

interface Answer {
  database: { config: { host: string; port: number; username: string; password: string; database: string } }
}

async function call(method: string, path: string, body?: unknown): Promise<Answer | undefined> {
  const init = { method, headers: { 'content-type': 'application/json' } }
  const response = await fetch(`${base}${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) })
  // 423: another process has the template, or has made it already.
  if (response.status === 423) return undefined
  if (!response.ok) throw new Error(`IntegreSQL: ${response.status} ${await response.text()}`)
  return response.status === 204 ? undefined : ((await response.json()) as Answer)
}

function formatUrl({ database: { config } }: Answer): string {
  return `postgresql://${config.username}:${config.password}@${config.host}:${config.port}/${config.database}`
}

const migration = await readFile('migrations/001_accounts.sql', 'utf8')
const hash = createHash('sha256').update(migration).digest('hex')
const template = await call('POST', '/templates', { hash })
if (template !== undefined) {
  const client = new pg.Client({ connectionString: formatUrl(template) })
  await client.connect()
  await client.query(migration)
  await client.end()
  await call('PUT', `/templates/${hash}`)
}
// One database for each file, before the application is imported.
const database = await call('GET', `/templates/${hash}/tests`)
if (database === undefined) throw new Error('IntegreSQL has no database')
process.env.DATABASE_URL = formatUrl(database)
