import type { Client } from 'pg'
import { PgBranchError, describeError } from '../lib/errors.ts'

/** @throws PgBranchError `PGB_ON_FORK` with what Postgres said. */
export async function runOnFork(client: Client, text: string): Promise<void> {
  try {
    await client.query(text)
  } catch (error) {
    throw new PgBranchError(`the SQL of \`onFork\` failed in a new branch: ${describeError(error)}`, {
      code: 'PGB_ON_FORK',
      hint: 'It runs in every branch when it is made, in the database that the URL points at.',
      cause: error,
    })
  }
}
