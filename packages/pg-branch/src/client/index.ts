/**
 * For programs that speak with the supervisor themselves, as the packages for test runners and the command
 * line do. What is leased over a connection is returned when it closes, or when its process ends in any way.
 *
 * @example
 * ```ts
 * const connection = await connectSupervisor()
 * const { variables } = await connection.call.lease({ rootDir, options: {}, env: withSentinel(process.env), withheld: {}, scope: 'file', runId: 'one', holder: 'me' })
 * // variables.DATABASE_URL is a branch of that project's own
 * connection.close()
 * ```
 *
 * @packageDocumentation
 */
export { PgBranchError } from '../lib/errors.ts'
export { formatBytes, formatDuration } from '../lib/format.ts'
export type * from '../protocol/catalog-protocol.ts'
export type * from '../protocol/named-protocol.ts'
export type * from '../protocol/protocol.ts'
export { withSentinel } from '../url/sentinel.ts'
export { connectSupervisor, type Connection } from './connect.ts'
export { stopSupervisor } from './stop.ts'
