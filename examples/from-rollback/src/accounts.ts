import type { Pool } from 'pg'

/** What has a connection to give: the tests of old can only hand in one. */
export type Database = Pick<Pool, 'query'>

export async function open(database: Database, owner: string): Promise<number> {
  const { rows } = await database.query<{ id: number }>('INSERT INTO accounts (owner) VALUES ($1) RETURNING id', [
    owner,
  ])
  return rows[0]?.id ?? 0
}

export async function getBalance(database: Database, owner: string): Promise<number | undefined> {
  const { rows } = await database.query<{ balance: number }>('SELECT balance FROM accounts WHERE owner = $1', [owner])
  return rows[0]?.balance
}

/** Commits, so that it could not be tested inside a transaction. */
export async function transfer(
  pool: Pool,
  { from, to, amount }: { from: string; to: string; amount: number },
): Promise<void> {
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
