import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test as base } from '@playwright/test'
import pg from 'pg'
import { openBranch } from 'pg-branch/node'

/** The service under test: counts visits of each path. */
function createApp(pool: pg.Pool): Server {
  return createServer(async (request, response) => {
    const { rows } = await pool.query(
      'INSERT INTO visits VALUES ($1, 1) ON CONFLICT (path) DO UPDATE SET count = visits.count + 1 RETURNING count',
      [request.url],
    )
    response.end(String(rows[0].count))
  })
}

/** Every test has a branch, and the service on it, of its own. */
export const test = base.extend<{ appUrl: string }>({
  appUrl: async ({}, use, { title }) => {
    await using branch = await openBranch({ holder: title })
    const pool = new pg.Pool({ connectionString: branch.url })
    const server = createApp(pool).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.closeAllConnections()
    server.close()
    await pool.end()
  },
})
