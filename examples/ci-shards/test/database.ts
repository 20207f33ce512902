import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})

export async function count(kind: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int FROM events WHERE kind = $1', [kind])
  return rows[0]?.count ?? 0
}

export async function add(kind: string): Promise<void> {
  await pool.query('INSERT INTO events (kind, at) VALUES ($1, now())', [kind])
}

export const close = (): Promise<void> => pool.end()
