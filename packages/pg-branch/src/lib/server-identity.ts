import { readFileSync } from 'node:fs'
import { PgBranchError } from './errors.ts'

export interface ServerIdentity {
  uid: number
  gid: number
}

let known: { identity: ServerIdentity | undefined } | undefined

/**
 * Postgres refuses to run as root, so root's servers run as `postgres` if there is such a user, else
 * as `nobody`. (A number without an entry in /etc/passwd will not do: initdb looks its user up.)
 *
 * @returns undefined when this process is not root, and servers run as this user.
 */
export function getServerIdentity(): ServerIdentity | undefined {
  known ??= { identity: process.getuid?.() === 0 ? findUnprivilegedUser() : undefined }
  return known.identity
}

function findUnprivilegedUser(): ServerIdentity {
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  )
  const identity = users.get('postgres') ?? users.get('nobody')
  if (identity !== undefined && identity.uid > 0) return identity
  throw new PgBranchError('this process is root and there is no user to run Postgres as', {
    code: 'PGB_NO_PROVIDER',
    hint: 'Postgres refuses to run as root: add a user named postgres (adduser --system postgres), or do not run tests as root.',
  })
}
