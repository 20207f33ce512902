import { describeError } from '../lib/errors.ts'
import type { ClientConnection } from './client-connection.ts'
import type { SessionFacts } from './session-state.ts'
import type { GatewayTarget } from './upstream.ts'

/** A connection that was closed, since it could not come to rest or cannot move. */
export interface LeftOver {
  application: string
  /** The test that used it last. */
  test: string | undefined
  /** What it had, e.g. `an open transaction`. */
  what: string
}

export interface Movable {
  connection: ClientConnection
  facts: SessionFacts
}

/** All connections of a gateway at rest. */
export interface Quiet {
  /** Those with a server, and what their sessions say. */
  movable: Movable[]
  leftOver: LeftOver[]
  /** Has them all leave the branch: it can be copied by those who need it alone. */
  park(): void
  /** Takes what clients say again; with a target, all of it goes there. */
  resume(target?: GatewayTarget): void
}

/** What was begun when a test ends, and not waited for, may take so long to be answered. */
const graceMs = 100

/** SQLSTATE admin_shutdown: pools take it for a reason to open another connection. */
const adminShutdown = '57P01'

export async function quiesce(
  connections: ClientConnection[],
  { isForced, test }: { isForced: boolean; test: string | undefined },
): Promise<Quiet> {
  const leftOver: LeftOver[] = []
  const movable: Movable[] = []
  const refuse = (connection: ClientConnection, what: string) => {
    if (!isForced) return
    const { usedBy = test, application } = connection.info
    leftOver.push({ application, test: usedBy, what })
    const where = usedBy === undefined ? 'before the first test' : `by the test "${usedBy}"`
    connection.refuse({
      code: adminShutdown,
      message: `terminating connection: ${what} was left open ${where}`,
      hint: 'pg-branch gives each test a fresh branch, and this cannot move there: end it before the test ends.',
    })
  }
  for (const connection of connections) connection.hold()
  await Promise.all(
    connections.map(async (connection) => {
      await connection.settle(graceMs)
      const { state } = connection
      if (state === 'active') return refuse(connection, 'a statement that still runs')
      if (state === 'in transaction') return refuse(connection, 'a transaction')
      if (state !== 'idle') return undefined
      try {
        const facts = await connection.readFacts()
        if (facts.obstacle === undefined) movable.push({ connection, facts })
        else refuse(connection, facts.obstacle)
      } catch (error) {
        refuse(connection, `a session that does not answer (${describeError(error)})`)
      }
    }),
  )
  return {
    movable,
    leftOver,
    park() {
      for (const { connection, facts } of movable) connection.park(facts)
    },
    resume() {
      for (const connection of connections) connection.release()
    },
  }
}
