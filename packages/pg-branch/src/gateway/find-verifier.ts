import { superuser } from '../lib/superuser.ts'
import { withClient } from '../postgres/client.ts'
import { parseVerifier, type ScramVerifier } from './scram-server.ts'
import type { GatewayTarget } from './upstream.ts'

/** @returns what the branch has stored of a role's password; undefined for a role that cannot log in here. */
export async function findVerifier(
  user: string,
  { address, socketDir }: GatewayTarget,
): Promise<ScramVerifier | undefined> {
  if (socketDir === undefined) return undefined
  return withClient({ ...address, host: socketDir, user: superuser }, async (client) => {
    const { rows } = await client.query<{ rolpassword: string | null }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND rolcanlogin',
      [user],
    )
    return parseVerifier(rows[0]?.rolpassword ?? '')
  })
}
