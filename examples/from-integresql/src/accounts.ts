import pg from 'pg'

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})

export async function open(owner: string): Promise<number> {
  const { rows } = await pool.query<{ id: number }>('INSERT INTO accounts (owner) VALUES ($1) RETURNING id', [owner])
  return rows[0]?.id ?? 0
}

export async function getBalance(owner: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ balance: number }>('SELECT balance FROM accounts WHERE owner = $1', [owner])
  return rows[0]?.balance
}

export async function transfer(from: string, to: string, amount: number): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('UPDATE accounts SET balance = balance - $2 WHERE owner = $1', [from, amount])
    await client.query('UPDATE accounts SET balance = balance + $2 WHERE owner = $1', [to, amount])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}
