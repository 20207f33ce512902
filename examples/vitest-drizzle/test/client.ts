import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll } from 'vitest'
import { createApi } from '../src/api.ts'
import { pool } from '../src/database.ts'

export function startApi(): (method: string, path: string, body?: unknown) => Promise<{ status: number; body: any }> {
  const server = createApi()
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
    const response = await fetch(
      origin + path,
      body === undefined ? { method } : { method, body: JSON.stringify(body) },
    )
    return { status: response.status, body: await response.json() }
  }
}
