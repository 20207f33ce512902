import type { Server, Socket } from 'node:net'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { createLog } from '../lib/log.ts'
import { waitUntil } from '../lib/processes.ts'
import { authenticateClient } from './authenticate.ts'
import { ClientConnection } from './client-connection.ts'
import { createRefusal, explainRefusal } from './explain.ts'
import { findVerifier } from './find-verifier.ts'
import type { ConnectionInfo } from './ledger.ts'
import { GatewayRefusal, sqlState } from './messages.ts'
import { definesCode } from './leaves-state.ts'
import { prepareTarget, type Prepared } from './prepared.ts'
import { graceMs, quiesce, type Quiet, type QuiesceOptions, type SessionsSeen } from './quiesce.ts'
import type { ScramVerifier } from './scram-server.ts'
import { readOpening } from './startup.ts'
import { createUsage, type Statement, type Usage } from './usage.ts'
import { openUpstream, sendCancel, type GatewayTarget, type Upstream } from './upstream.ts'

const log = createLog('gateway')

export interface GatewayOptions {
  target: GatewayTarget
  /** The branch's budget. Default: what its server allows. */
  maxConnections?: number | undefined
}

/** Statements that are remembered of one test. */
const maxStatements = 1_000
/** Connections that are opened ahead: each costs as much as it saves, but at a better time. */
const maxPrepared = 2
/** A client that has been let in says in this time what it was opened for. */
const firstWordMs = 50

/**
 * A Postgres server, as far as clients can tell, at one address for as long as its holder lives, with
 * one branch after the other behind it. `quiesce`, and `resume` of its answer, bring every connection to
 * the next one.
 */
export class Gateway {
  /** What clients connect to, with a password of its own. */
  readonly address: DatabaseAddress
  #test: string | undefined
  #target: GatewayTarget
  /** How many connections may have a server at the same time. */
  readonly #maxConnections: number
  readonly #server: Server
  readonly #verifier: ScramVerifier
  readonly #connections = new Set<ClientConnection>()
  /** Clients that have not been let in yet. */
  readonly #strangers = new Set<Socket>()
  readonly #statements: Statement[] = []
  #usage = createUsage()
  /** What the connections that were used last were opened with. */
  #wanted: Array<ReadonlyMap<string, string>> = []
  #prepared: Prepared | undefined
  /** While connections move, new ones wait. */
  #door: Promise<void> = Promise.resolve()

  constructor(options: GatewayOptions & { server: Server; address: DatabaseAddress; verifier: ScramVerifier }) {
    this.#server = options.server
    this.address = options.address
    this.#verifier = options.verifier
    this.#target = options.target
    this.#maxConnections = options.maxConnections ?? Number.POSITIVE_INFINITY
    this.#server.on('connection', (client) => void this.#serve(client))
  }

  get usage(): Readonly<Usage> {
    return this.#usage
  }

  get connections(): ConnectionInfo[] {
    return [...this.#connections].map((connection) => connection.info)
  }

  /** What was run since the last `beginTest`, the oldest first. */
  get statements(): readonly Statement[] {
    return this.#statements
  }

  /** What happens from now on is this test's. */
  beginTest(name: string): void {
    this.#test = name
    this.#statements.length = 0
  }

  /**
   * Has every connection come to rest, so that the branch can be looked at, saved or changed. If it is
   * forced, what cannot move is closed, with an error that names the test which left it open. Nothing is
   * taken from clients until `resume` of the answer.
   */
  async quiesce<Seen extends SessionsSeen>(options: QuiesceOptions<Seen>): Promise<Quiet<Seen>> {
    await this.settleStrangers()
    let open = () => {}
    this.#door = new Promise((resolve) => (open = resolve))
    const connections = [...this.#connections]
    const quiet = await quiesce(connections, { ...options, test: this.#test }).catch((error: unknown) => {
      for (const connection of connections) connection.release()
      open()
      throw error
    })
    return {
      ...quiet,
      resume: (next) => {
        if (next !== undefined) {
          this.#prepared?.close()
          this.#prepared = 'take' in next ? next : undefined
          this.#target = 'take' in next ? next.target : next
          this.#usage = createUsage()
          this.#wanted = quiet.used.slice(0, maxPrepared)
          quiet.park({ isUrgent: false })
        }
        quiet.resume()
        open()
      },
    }
  }

  /**
   * Waits a moment for clients that are about to be let in, and for what they say first: a test that
   * ends without waiting for its first query has begun it all the same.
   */
  async settleStrangers(): Promise<void> {
    // Whoever is at the door already comes in with this turn of the loop.
    await yieldToLoop()
    if (this.#strangers.size === 0) return
    const known = new Set(this.#connections)
    await waitUntil(() => this.#strangers.size === 0, { timeoutMs: graceMs })
    const fresh = [...this.#connections].filter((connection) => !known.has(connection))
    await waitUntil(() => fresh.every(({ hasSpoken }) => hasSpoken), { timeoutMs: firstWordMs })
  }

  /** Opens connections to a branch that may be the next, such as were used last. */
  prepare(target: GatewayTarget): Promise<Prepared> {
    const wanted = this.#wanted.map((parameters) => this.#translate(parameters, target))
    return prepareTarget(target, wanted)
  }

  /** Ends it for good: nobody is let in any more, and connections have no branch. */
  close(): void {
    this.#server.close()
    this.#server.unref()
    this.#prepared?.close()
    for (const stranger of this.#strangers) stranger.destroy()
    for (const connection of this.#connections) connection.retire()
  }

  async #serve(client: Socket): Promise<void> {
    client.setNoDelay(true)
    client.on('error', () => {})
    this.#strangers.add(client)
    try {
      const opening = await readOpening(client)
      if (opening?.kind === 'cancel') await this.#cancel(opening.key)
      if (opening?.kind === 'start') await this.#admit(client, opening)
      else client.destroy()
    } catch (error) {
      if (!(error instanceof GatewayRefusal)) log('a client was not let in: %O', error)
      if (client.writable) client.end(createRefusal(error, this.connections))
      client.resume()
    } finally {
      this.#strangers.delete(client)
    }
  }

  async #admit(client: Socket, { parameters, rest }: { parameters: Map<string, string>; rest: Buffer }): Promise<void> {
    const user = parameters.get('user')
    if (user === undefined) {
      throw new GatewayRefusal({ code: '28000', message: 'no PostgreSQL user name specified in startup packet' })
    }
    await this.#door
    const verifier = user === this.address.user ? this.#verifier : await findVerifier(user, this.#target)
    const more = await authenticateClient(client, { user, verifier, rest })
    const upstream = await this.#enter(() => this.#openUpstream(parameters))
    if (client.destroyed) return void upstream.socket.destroy()
    const connection: ClientConnection = new ClientConnection(client, upstream, {
      user,
      parameters,
      open: () => this.#openUpstream(parameters, connection),
      getTest: () => this.#test,
      onStatement: (text, application) => {
        this.#usage.hasDefinedCode ||= definesCode(text)
        if (this.#statements.length === maxStatements) this.#statements.shift()
        this.#statements.push({ text, application })
      },
      onAbandoned: () => {
        this.#usage.isAbandoned = true
      },
      explain: (error) => explainRefusal(error, this.connections),
    })
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    connection.start(upstream.greeting, more)
  }

  /** Opens a connection to the branch that is behind the address when it is open: it may move meanwhile. */
  async #enter(open: () => ReturnType<typeof openUpstream>): Promise<Upstream> {
    for (;;) {
      const door = this.#door
      await door
      const upstream = await open()
      if (door === this.#door) return upstream
      upstream.socket.destroy()
    }
  }

  /** @param asking whose connection it is for, if it has been let in before. */
  #openUpstream(parameters: Map<string, string>, asking?: ClientConnection): ReturnType<typeof openUpstream> {
    const { socketDir } = this.#target
    const used = [...this.#connections].filter(
      (other) => other !== asking && !other.isClosed && other.state !== 'parked',
    ).length
    if (used >= this.#maxConnections) {
      throw new GatewayRefusal({
        code: sqlState.tooManyConnections,
        message: `sorry, too many clients already: ${this.#maxConnections} connections are this branch's share`,
      })
    }
    const wanted = getDatabase(parameters)
    if (wanted !== this.address.database && socketDir === undefined) {
      throw new GatewayRefusal({
        code: '3D000',
        message: `database "${wanted}" is not part of this branch`,
        hint: `This address leads to the database "${this.address.database}" only.`,
      })
    }
    this.#usage.hasBeenUsed = true
    const translated = this.#translate(parameters, this.#target)
    const prepared = this.#prepared?.take(translated)
    return prepared === undefined ? openUpstream(this.#target, translated) : Promise.resolve(prepared)
  }

  /** @returns parameters with the name that the database has there. */
  #translate(parameters: ReadonlyMap<string, string>, { address }: GatewayTarget): Map<string, string> {
    const wanted = getDatabase(parameters)
    return new Map(parameters).set('database', wanted === this.address.database ? address.database : wanted)
  }

  async #cancel(key: Buffer): Promise<void> {
    const connection = [...this.#connections].find((candidate) => candidate.key.equals(key))
    if (connection?.serverKey !== undefined) await sendCancel(this.#target, connection.serverKey)
  }
}

/** As Postgres has it: a client that names no database means the one called like its user. */
function getDatabase(parameters: ReadonlyMap<string, string>): string {
  return parameters.get('database') ?? parameters.get('user') ?? ''
}
