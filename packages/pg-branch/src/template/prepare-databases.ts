import { escapeIdentifier, type Client } from 'pg'
import type { ResolvedConfig } from '../config/types.ts'
import { superuser } from '../lib/superuser.ts'
import { createScramVerifier } from '../postgres/password.ts'

type Names = Pick<ResolvedConfig, 'databases' | 'user'>

/** Makes the role and the databases of a configuration in a fresh cluster. */
export async function prepareDatabases(admin: Client, { databases, user }: Names): Promise<void> {
  const owner = escapeIdentifier(user.name)
  if (user.name !== superuser) await admin.query(`CREATE ROLE ${owner} LOGIN ${user.superuser ? 'SUPERUSER' : ''}`)
  for (const database of databases) {
    const name = escapeIdentifier(database)
    const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [database])
    if (rowCount === 0) await admin.query(`CREATE DATABASE ${name} OWNER ${owner}`)
    else await admin.query(`ALTER DATABASE ${name} OWNER TO ${owner}`)
  }
}

/** Lets a step in by TCP. Kept as a verifier, so that no log shows it. */
export async function setPasswords(
  admin: Client,
  { user, password }: Pick<Names, 'user'> & { password: string },
): Promise<void> {
  for (const name of new Set([superuser, user.name])) {
    await admin.query(
      `ALTER ROLE ${escapeIdentifier(name)} PASSWORD '${createScramVerifier(password)}' VALID UNTIL 'infinity'`,
    )
  }
}

/** Whoever can read a template must not be able to enter what is forked from it. */
export async function removePasswords(admin: Client, user: Names['user']): Promise<void> {
  for (const name of new Set([superuser, user.name])) {
    await admin.query(`ALTER ROLE ${escapeIdentifier(name)} PASSWORD NULL VALID UNTIL 'infinity'`)
  }
}
