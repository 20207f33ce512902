import { describeError } from '../lib/errors.ts'
import { waitUntil } from '../lib/processes.ts'
import type { ClientConnection } from './client-connection.ts'
import { sqlState } from './messages.ts'
import type { Prepared } from './prepared.ts'
import { nothingCarried, type CarriedState } from './session-state.ts'
import type { GatewayTarget } from './upstream.ts'
import type { GatewayWords } from './words.ts'

/** A connection that was closed, since it could not come to rest or cannot move. */
export interface LeftOver {
  application: string
  /** The phase, a test for instance, in which it was used last. */
  phase: string | undefined
  /** What it had, e.g. `an open transaction`. */
  what: string
}

/** What somebody else knows of the sessions of a branch: then not each need be asked. */
export interface SessionsSeen {
  /** Whether any has a temporary table, or may have what its statements do not show. */
  hasHidden: boolean
  /** Process ids of those that hold an advisory lock. */
  lockHolders: number[]
}

/** All connections of a gateway at rest. */
export interface Quiet<Seen extends SessionsSeen = SessionsSeen> {
  leftOver: LeftOver[]
  /** What `look` saw, undefined if it failed. */
  seen: Seen | undefined
  /** Has them all leave the branch; urgently if somebody waits to have it alone. */
  park(options: { isUrgent: boolean }): void
  /** What the connections that had a server were opened with. */
  used: Array<ReadonlyMap<string, string>>
  /** Takes what clients say again; with a target, all of it goes there. */
  resume(next?: GatewayTarget | Prepared): void
}

export interface QuiesceOptions<Seen extends SessionsSeen> {
  /** Whether what cannot rest or move is closed; else it is left alone. */
  isForced: boolean
  /** Looks at the sessions when they rest; without it each is asked. */
  look(): Promise<Seen | undefined>
}

/** What was begun when a phase ends, and not waited for, may take so long to be answered. */
export const graceMs = 100

/** A session that is idle answers at once, or never: its server may be stuck. */
const askMs = 5_000

export async function quiesce<Seen extends SessionsSeen>(
  connections: ClientConnection[],
  { isForced, phase, look, words }: QuiesceOptions<Seen> & { phase: string | undefined; words: GatewayWords },
): Promise<Quiet<Seen>> {
  const leftOver: LeftOver[] = []
  const movable = new Map<ClientConnection, CarriedState>()
  const refuse = (connection: ClientConnection, what: string) => {
    if (!isForced || connection.isClosed) return
    const { usedBy = phase, application } = connection.info
    leftOver.push({ application, phase: usedBy, what })
    connection.refuse({
      // Pools take it for a reason to open another connection.
      code: sqlState.adminShutdown,
      message: `terminating connection: ${what} was left open ${words.describePhase(usedBy)}`,
      hint: words.moveHint,
    })
  }
  // What comes in until then was begun in the phase that ends.
  await waitUntil(() => connections.every(({ state, isClosed }) => state !== 'active' || isClosed), {
    timeoutMs: graceMs,
    intervalMs: 1,
  })
  for (const connection of connections) connection.hold()
  for (const connection of connections) {
    if (connection.state === 'active') refuse(connection, 'a statement that still runs')
    if (connection.state === 'in transaction') refuse(connection, 'a transaction')
  }
  const idle = connections.filter(({ state, isClosed }) => state === 'idle' && !isClosed)
  const seen = await withTimeLimit(look(), askMs).catch(() => undefined)
  await Promise.all(
    idle.map(async (connection) => {
      if (!mustBeAsked(connection, seen)) return void movable.set(connection, nothingCarried)
      try {
        const { state, obstacle } = await withTimeLimit(connection.askState(), askMs)
        if (obstacle === undefined) movable.set(connection, state)
        else refuse(connection, obstacle)
      } catch (error) {
        // It went of its own accord.
        if (connection.isClosed) return
        refuse(connection, `a session that does not answer (${describeError(error)})`)
      }
    }),
  )
  return {
    leftOver,
    seen,
    used: idle.map(({ parameters }) => parameters),
    park(options) {
      for (const [connection, state] of movable) connection.park(state, options)
    },
    resume() {
      for (const connection of connections) connection.release()
    },
  }
}

/** @throws after `timeoutMs`; what `promise` brings later is nobody's any more. */
async function withTimeLimit<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function mustBeAsked(connection: ClientConnection, seen: SessionsSeen | undefined): boolean {
  if (seen === undefined || seen.hasHidden || connection.mayHaveState) return true
  const processId = connection.serverKey?.readInt32BE(0)
  return processId !== undefined && seen.lockHolders.includes(processId)
}
