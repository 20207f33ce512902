import { pool } from '../src/accounts.js'

/** What every table holds at first has to be said again here, and every new table added. */
export async function reset(): Promise<void> {
  await pool.query('TRUNCATE accounts RESTART IDENTITY CASCADE')
  await pool.query("INSERT INTO accounts (owner, balance) VALUES ('Ada', 100), ('Grace', 50)")
}
