import { GatewayRefusal } from './messages.ts'
import type { GatewayTarget } from './upstream.ts'

/** As Postgres has it: a client that names no database means the one called like its user. */
function getDatabase(parameters: ReadonlyMap<string, string>): string {
  return parameters.get('database') ?? parameters.get('user') ?? ''
}

/**
 * The database of an address has another name on the branch's server.
 *
 * @param own the name that clients know.
 * @returns parameters with the name that the database has there.
 * @throws GatewayRefusal for a database of another branch's on the same server.
 */
export function translateDatabase(
  parameters: ReadonlyMap<string, string>,
  { own, target }: { own: string; target: GatewayTarget },
): Map<string, string> {
  const wanted = getDatabase(parameters)
  if (wanted !== own && target.socketDir === undefined) {
    throw new GatewayRefusal({
      code: '3D000',
      message: `database "${wanted}" is not part of this branch`,
      hint: `This address leads to the database "${own}" only.`,
    })
  }
  return new Map(parameters).set('database', wanted === own ? target.address.database : wanted)
}
