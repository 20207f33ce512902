import * as v from 'valibot'
import { PgBranchError } from '../lib/errors.ts'
import { createProtocolError } from '../lib/rpc.ts'
import type { SupervisorFunctions } from '../protocol/protocol.ts'
import { requestSchemas } from '../protocol/request-schemas.ts'

/** Far beyond all variables of a process, which are the most that a client sends. */
export const maxRequestBytes: number = 16 * 1024 ** 2

/**
 * @returns the same functions behind a door: nothing but `hello` is answered to a client that could be of another
 * version, and none is called with anything but what its schema allows.
 */
export function guardFunctions(
  functions: SupervisorFunctions,
  { hasGreeted, refuse }: { hasGreeted(): boolean; refuse(error: PgBranchError): void },
): SupervisorFunctions {
  const guarded = Object.entries(functions).map(([name, call]: [string, (...args: unknown[]) => unknown]) => [
    name,
    async (...args: unknown[]) => {
      if (name !== 'hello' && !hasGreeted()) {
        throw new PgBranchError('the client did not say its version', { code: 'PGB_SUPERVISOR_VERSION' })
      }
      const parsed = v.safeParse(requestSchemas[name as keyof SupervisorFunctions], args)
      if (parsed.success) return call(...(parsed.output as unknown[]))
      const [issue] = parsed.issues
      // The first part of the path is the argument's number, of which there is one.
      const path = (v.getDotPath(issue) ?? '').replace(/^\d+\.?/, '')
      const error = createProtocolError(`${name}: ${path === '' ? 'the request' : `\`${path}\``} ${issue.message}`)
      // After the answer.
      setImmediate(() => refuse(error))
      throw error
    },
  ])
  return Object.fromEntries(guarded) as SupervisorFunctions
}
