import { describeError } from '../lib/errors.ts'
import { describeHolders, type ConnectionInfo } from './ledger.ts'
import { GatewayRefusal, createErrorResponse, sqlState, type ErrorFields } from './messages.ts'
import type { GatewayWords } from './words.ts'

/** Who has the connections that there are, and how that is said. */
export interface Holders {
  connections: ConnectionInfo[]
  words: GatewayWords
}

/** @returns what a client is told that is not let in: the server's own words, wherever they say all. */
export function createRefusal(
  error: unknown,
  holders: Holders,
  { isReplication = false }: { isReplication?: boolean } = {},
): Buffer {
  // What a server has too few of for replication is another setting, which it names itself.
  const isWhole =
    error instanceof GatewayRefusal && (isReplication || error.fields.code !== sqlState.tooManyConnections)
  return (isWhole ? error.response : undefined) ?? createErrorResponse(explainRefusal(error, holders))
}

/** Where a server has room for no more connections, it says who has those that there are. */
export function explainRefusal(error: unknown, { connections, words }: Holders): ErrorFields {
  if (!(error instanceof GatewayRefusal))
    return { code: sqlState.connectionFailure, message: `pg-branch: ${describeError(error)}` }
  const fields: ErrorFields = { ...error.fields, severity: 'FATAL' }
  if (fields.code !== sqlState.tooManyConnections) return fields
  const hint =
    'Share one pool, lower its size, or raise `postgres.settings.max_connections` (with a server of yours: `pool.connectionsPerBranch`).'
  const detail = `Connections through pg-branch:\n${describeHolders(connections, words)}`
  return { ...fields, detail, hint }
}
