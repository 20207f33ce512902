import { superuser } from '../lib/superuser.ts'
import { withOwnClient } from '../postgres/client.ts'
import { parseVerifier, type ScramVerifier } from './scram-server.ts'
import type { GatewayTarget } from './upstream.ts'

/**
 * @returns what the branch has stored of a role's password, if it can be used: it is a SCRAM verifier, as its
 * `pg_hba.conf` demands, and has not expired. Whether the role may log in at all the server says itself.
 */
export async function findVerifier(
  user: string,
  { address, socketDir }: GatewayTarget,
): Promise<ScramVerifier | undefined> {
  if (socketDir === undefined) return undefined
  return withOwnClient({ ...address, host: socketDir, user: superuser }, async (client) => {
    const { rows } = await client.query<{ rolpassword: string | null }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND (rolvaliduntil IS NULL OR rolvaliduntil >= now())',
      [user],
    )
    return parseVerifier(rows[0]?.rolpassword ?? '')
  })
}
