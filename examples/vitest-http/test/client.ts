import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll } from 'vitest'
import { pool } from '../src/database.ts'
import { createService } from '../src/server.ts'

export interface Reply {
  status: number
  body: any
}

/** Starts the service for a test file and ends it, with its pool, when the file is done. */
export function startService(): (method: string, path: string, body?: unknown) => Promise<Reply> {
  const server = createService()
  let origin = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.close()
    await pool.end()
  })
  return async (method, path, body) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(origin + path, init)
    return { status: response.status, body: await response.json() }
  }
}

export const june = (from: number, to: number) => ({
  from: `2030-06-${String(from).padStart(2, '0')}`,
  to: `2030-06-${String(to).padStart(2, '0')}`,
})
