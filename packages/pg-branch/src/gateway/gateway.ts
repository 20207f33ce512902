import type { Server, Socket } from 'node:net'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { createLog } from '../lib/log.ts'
import { waitUntil } from '../lib/processes.ts'
import { authenticateClient } from './authenticate.ts'
import { ClientConnection } from './client-connection.ts'
import { takeClientPlace } from './client-budget.ts'
import { translateDatabase } from './database-names.ts'
import { dismiss, dismissForDescriptors } from './dismiss.ts'
import { createRefusal, explainRefusal } from './explain.ts'
import { findVerifier } from './find-verifier.ts'
import type { ConnectionInfo } from './ledger.ts'
import { GatewayRefusal, sqlState } from './messages.ts'
import { definesCode } from './leaves-state.ts'
import { prepareTarget, type Prepared } from './prepared.ts'
import { graceMs, quiesce, type Quiet, type QuiesceOptions, type SessionsSeen } from './quiesce.ts'
import type { ScramVerifier } from './scram-server.ts'
import { readOpening, type StartOpening } from './startup.ts'
import { createStatementLog, createUsage, type Statement, type Usage } from './usage.ts'
import { WaitingRoom, type Stranger } from './waiting-room.ts'
import type { GatewayWords } from './words.ts'
import { openUpstream, sendCancel, type GatewayTarget, type Upstream } from './upstream.ts'

const log = createLog('gateway')

export interface GatewayOptions {
  target: GatewayTarget
  /** The branch's budget. Default: what its server allows. */
  maxConnections?: number | undefined
  /** Clients that are served at the same time before they have logged in. */
  maxPendingLogins: number
  /** What clients are told of its holder. */
  words: GatewayWords
}

/** Connections that are opened ahead: each costs as much as it saves, but at a better time. */
const maxPrepared = 2
/** One that has connected and said nothing yet is waited for only in this time. */
const silentMs = 10
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
  #phase: string | undefined
  #target: GatewayTarget
  /** How many connections may have a server at the same time. */
  readonly #maxConnections: number
  readonly #server: Server
  readonly #verifier: ScramVerifier
  readonly #words: GatewayWords
  readonly #connections = new Set<ClientConnection>()
  /** Clients that have not been let in yet. */
  readonly #strangers: WaitingRoom
  readonly #log = createStatementLog()
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
    this.#words = options.words
    this.#maxConnections = options.maxConnections ?? Number.POSITIVE_INFINITY
    this.#strangers = new WaitingRoom({ max: options.maxPendingLogins, serve: (stranger) => this.#serve(stranger) })
    this.#server.on('connection', (client) => this.#receive(client))
  }

  get usage(): Readonly<Usage> {
    return this.#usage
  }

  get connections(): ConnectionInfo[] {
    return [...this.#connections].map((connection) => connection.info)
  }

  /** What was run since the last `beginPhase`, the oldest first. */
  get statements(): readonly Statement[] {
    return this.#log.statements
  }

  /** What happens from now on belongs to the phase of this name, a test for instance. */
  beginPhase(name: string): void {
    this.#phase = name
    this.#log.clear()
  }

  /**
   * Has every connection come to rest, so that the branch can be looked at, saved or changed. If it is
   * forced, what cannot move is closed, with an error that names the phase which left it open. Nothing is
   * taken from clients until `resume` of the answer.
   */
  async quiesce<Seen extends SessionsSeen>(options: QuiesceOptions<Seen>): Promise<Quiet<Seen>> {
    await this.settleStrangers()
    let open = () => {}
    this.#door = new Promise((resolve) => (open = resolve))
    const connections = [...this.#connections]
    const situation = { ...options, phase: this.#phase, words: this.#words }
    const quiet = await quiesce(connections, situation).catch((error: unknown) => {
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
    const known = new Set(this.#connections)
    await this.#strangers.settle({ graceMs, silentMs })
    const fresh = [...this.#connections].filter((connection) => !known.has(connection))
    await waitUntil(() => fresh.every(({ hasSpoken }) => hasSpoken), { timeoutMs: firstWordMs })
  }

  /** Opens connections to a branch that may be the next, such as were used last. */
  prepare(target: GatewayTarget): Promise<Prepared> {
    const wanted = this.#wanted.map((parameters) =>
      translateDatabase(parameters, { own: this.address.database, target }),
    )
    return prepareTarget(target, wanted)
  }

  /** Ends it for good: nobody is let in any more, and connections have no branch. */
  close(): void {
    this.#server.close()
    this.#server.unref()
    this.#prepared?.close()
    this.#strangers.close()
    for (const connection of this.#connections) connection.retire()
  }

  #receive(client: Socket): void {
    client.setNoDelay(true)
    client.on('error', () => {})
    const place = takeClientPlace({ dismiss: () => client.destroy() })
    if (place === undefined) return dismissForDescriptors(client)
    client.once('close', () => place.leave())
    this.#strangers.enter(client, place)
  }

  async #serve(stranger: Stranger): Promise<void> {
    const { socket: client } = stranger
    let isReplication = false
    try {
      const opening = await readOpening(client)
      stranger.hasSpoken = true
      if (opening?.kind === 'cancel') await this.#cancel(opening.key)
      if (opening?.kind === 'start') {
        isReplication = opening.parameters.has('replication')
        await this.#admit(stranger, opening)
      } else client.destroy()
    } catch (error) {
      if (!(error instanceof GatewayRefusal)) log('a client was not let in: %O', error)
      dismiss(client, createRefusal(error, { connections: this.connections, words: this.#words }, { isReplication }))
    }
  }

  async #admit(stranger: Stranger, { parameters, rest }: StartOpening): Promise<void> {
    const { socket: client } = stranger
    const user = parameters.get('user')
    if (user === undefined) {
      throw new GatewayRefusal({ code: '28000', message: 'no PostgreSQL user name specified in startup packet' })
    }
    await this.#door
    const verifier = user === this.address.user ? this.#verifier : await findVerifier(user, this.#target)
    const more = await authenticateClient(client, { user, verifier, rest })
    this.#strangers.admit(stranger)
    const upstream = await this.#enter(() => this.#openUpstream(parameters))
    if (client.destroyed) return void upstream.socket.destroy()
    const connection: ClientConnection = new ClientConnection(client, upstream, {
      user,
      parameters,
      open: () => this.#openUpstream(parameters, connection),
      getPhase: () => this.#phase,
      gone: this.#words.gone,
      onStatement: (text, application) => {
        this.#usage.hasDefinedCode ||= definesCode(text)
        this.#log.add({ text, application })
      },
      onAbandoned: () => {
        this.#usage.isAbandoned = true
      },
      explain: (error) => explainRefusal(error, { connections: this.connections, words: this.#words }),
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
    const others = [...this.#connections].filter((other) => other !== asking)
    const used = others.filter(({ isClosed, state }) => !isClosed && state !== 'parked').length
    if (used >= this.#maxConnections) {
      const message = `sorry, too many clients already: ${this.#maxConnections} connections are this branch's share`
      throw new GatewayRefusal({ code: sqlState.tooManyConnections, message })
    }
    const translated = translateDatabase(parameters, { own: this.address.database, target: this.#target })
    this.#usage.hasBeenUsed = true
    const prepared = this.#prepared?.take(translated)
    return prepared === undefined ? openUpstream(this.#target, translated) : Promise.resolve(prepared)
  }

  async #cancel(key: Buffer): Promise<void> {
    const connection = [...this.#connections].find((candidate) => candidate.key.equals(key))
    if (connection?.serverKey !== undefined) await sendCancel(this.#target, connection.serverKey)
  }
}
