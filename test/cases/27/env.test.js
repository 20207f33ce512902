import pg from 'pg'
import { expect, test } from 'vitest'
test('which database', async () => {
  console.log(process.env.DATABASE_URL, process.env.PGHOST, process.env.PGPORT, process.env.READ_URL)
  const c = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await c.connect()
  console.log('server', (await c.query('select inet_server_port() p, version() v')).rows[0])
  await c.end()
  const d = new pg.Client({ connectionString: process.env.READ_URL })
  await d.connect().then(
    () => console.log('READ_URL reaches the dev server'),
    (e) => console.log('READ_URL', e.message),
  )
  await d.end().catch(() => {})
})
