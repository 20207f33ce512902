import { serialize } from 'pg-protocol'
import { createLog } from '../lib/log.ts'
import { askPatiently } from './ask-patiently.ts'
import { GatewayRefusal, sqlState } from './messages.ts'
import type { ServerLink } from './server-link.ts'

const log = createLog('gateway')

/**
 * Gives a session what its predecessor had. What the new branch does not allow, since the table, or role, that it is
 * about is gone there, is dropped: nobody who begins now has to do with it.
 */
export async function carry(server: ServerLink, statements: string[]): Promise<void> {
  if (statements.length === 0) return
  try {
    await server.ask(serialize.query(statements.join(';\n')))
  } catch {
    // All of it is undone; one by one, so that only what fails is lost.
    for (const statement of statements) {
      const ask = () => server.ask(serialize.query(statement))
      await askPatiently(ask, { maxAsks }).catch((error: unknown) => {
        if (!(error instanceof GatewayRefusal) || error.fields.code === sqlState.connectionFailure) throw error
        log('dropped, since it cannot be carried over: %s (%s)', statement, error.fields.message)
      })
    }
  }
}

/** A limit of milliseconds, which the session has from the beginning, may cut off the statement that lifts it. */
const maxAsks = 5
