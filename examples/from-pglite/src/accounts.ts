/** What PGlite and the pools of pg have in common. */
export interface Database {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

export async function open(database: Database, owner: string): Promise<number> {
  const { rows } = await database.query('INSERT INTO accounts (owner) VALUES ($1) RETURNING id', [owner])
  return (rows as Array<{ id: number }>)[0]?.id ?? 0
}

export async function getBalance(database: Database, owner: string): Promise<number | undefined> {
  const { rows } = await database.query('SELECT balance FROM accounts WHERE owner = $1', [owner])
  return (rows as Array<{ balance: number }>)[0]?.balance
}
