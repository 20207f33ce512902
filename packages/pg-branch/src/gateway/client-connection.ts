import type { Socket } from 'node:net'
import { createLog } from '../lib/log.ts'
import { askPatiently } from './ask-patiently.ts'
import { carry } from './carry.ts'
import type { ClientConnectionOptions } from './client-options.ts'
import { createFlow, type Flow } from './flow.ts'
import { forward, reportParameters } from './forward.ts'
import { createFrameReader, type FrameReader } from './frames.ts'
import { createErrorResponse, frontend, type ErrorFields } from './messages.ts'
import type { ConnectionInfo } from './ledger.ts'
import { ServerLink } from './server-link.ts'
import {
  createCarrySql,
  createStateQuestion,
  readStateAnswer,
  type CarriedState,
  type SessionAnswer,
} from './session-state.ts'
import type { Upstream } from './upstream.ts'

const log = createLog('gateway')

const maxAsks = 50

/** For a client that does not hang up, or reads no more. */
const lingerMs = 1_000

/**
 * One connection of a client through the gateway.
 *
 * States: *attached* (a server answers the client) → *parked* (no server; what is to be carried over is
 * remembered) → *attaching*, as soon as the client says something, or at once if it listens on a
 * channel → *attached* … → *retired*, once there is no branch for it any more → *closed*, when either side
 * hangs up or what was left open cannot be carried.
 * Between `hold` and `release` nothing that the client says is taken.
 */
export class ClientConnection {
  readonly user: string
  readonly parameters: ReadonlyMap<string, string>
  /** Process id and secret that the client knows, from its first server. */
  readonly key: Buffer
  readonly closed: Promise<void>
  isClosed = false
  hasSpoken = false
  readonly #openedBy: string | undefined
  #usedBy: string | undefined
  readonly #client: Socket
  readonly #options: ClientConnectionOptions
  readonly #flow: Flow
  readonly #reader: FrameReader
  /** The value that the client knows of each setting that servers report. */
  readonly #known: Map<string, string>
  #server: ServerLink | undefined
  #carried: CarriedState | undefined
  readonly #waiting: Buffer[] = []
  #isHeld = false
  #isRetired = false
  #attaching: Promise<void> | undefined

  constructor(client: Socket, upstream: Upstream, options: ClientConnectionOptions) {
    this.#client = client
    this.#options = options
    this.user = options.user
    this.parameters = options.parameters
    this.#openedBy = options.getPhase()
    this.#usedBy = this.#openedBy
    this.key = upstream.key
    this.#known = new Map(upstream.parameters)
    this.#flow = createFlow({ onStatement: (text) => options.onStatement(text, this.application) })
    this.#reader = createFrameReader({
      isWanted: (type) => this.#flow.wantsOfClient(type),
      onMessage: (message) => this.#flow.onClient(message),
    })
    this.closed = new Promise((resolve) => client.once('close', () => resolve()))
    this.#server = this.#link(upstream)
    client.on('data', (chunk: Buffer) => this.#onClientData(chunk))
    for (const event of ['close', 'end'] as const) client.once(event, () => this.close())
  }

  get application(): string {
    return this.#known.get('application_name') ?? ''
  }

  get info(): ConnectionInfo {
    const { user, application, state } = this
    return { user, application, state, openedBy: this.#openedBy, usedBy: this.#usedBy }
  }

  get state(): ConnectionInfo['state'] {
    if (this.#waiting.length > 0 || this.#attaching !== undefined) return 'active'
    if (this.#server === undefined) return 'parked'
    if (this.#flow.isIdle && this.#reader.isBetweenMessages) return 'idle'
    return this.#flow.isInTransaction ? 'in transaction' : 'active'
  }

  /** Process id and secret at the present server. */
  get serverKey(): Buffer | undefined {
    return this.#server?.key
  }

  /** Greets the client, and takes what it says from now on. */
  start(greeting: Buffer[], rest: Buffer): void {
    this.#client.write(Buffer.concat(greeting))
    if (rest.length > 0) this.#onClientData(rest)
    if (this.#waiting.length === 0) this.#client.resume()
  }

  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    if (this.isClosed) return
    if (this.#waiting.length > 0 || (this.#carried?.channels.length ?? 0) > 0) this.#wake()
  }

  /** Whether the session may have what a new one has not. */
  get mayHaveState(): boolean {
    return this.#flow.mayHaveState || this.parameters.has('replication')
  }

  /** Asks the session, which must be idle, for what it has. */
  async askState(): Promise<SessionAnswer> {
    const question = createStateQuestion(this.#flow.settingNames)
    const messages = await askPatiently(async () => this.#server?.ask(question), { maxAsks })
    const answer = readStateAnswer(messages ?? [], this.user)
    return this.parameters.has('replication') ? { ...answer, obstacle: 'a replication connection' } : answer
  }

  park(state: CarriedState, { isUrgent }: { isUrgent: boolean }): void {
    this.#carried = state
    this.#server?.leave({ isUrgent })
    this.#server = undefined
    this.#flow.moveHome()
  }

  /** Ends it with an error, which says why. */
  refuse(fields: ErrorFields): void {
    if (this.isClosed) return
    if (this.#client.writable) this.#client.write(createErrorResponse(fields))
    this.close()
  }

  /**
   * Leaves the server for good. The client keeps its idle connection, since a pool that nobody ended
   * takes a lost one for an error, and is told when it next says something.
   */
  retire(): void {
    if (this.state === 'in transaction' || this.state === 'active') return this.refuse(this.#options.gone)
    this.#server?.leave()
    this.#server = undefined
    this.#isRetired = true
    if (this.#waiting.length > 0) return this.refuse(this.#options.gone)
    // It holds up nobody's end.
    this.#client.unref()
    this.#client.resume()
  }

  close(): void {
    if (this.isClosed) return
    if (this.#server !== undefined && this.state !== 'idle') this.#options.onAbandoned()
    this.isClosed = true
    this.#server?.leave()
    this.#server = undefined
    this.#client.end()
    this.#client.resume()
    setTimeout(() => this.#client.destroy(), lingerMs).unref()
  }

  #link(upstream: Upstream): ServerLink {
    const link = new ServerLink(upstream, {
      wants: (type) => this.#flow.wantsOfServer(type),
      onMessage: (message) => this.#flow.onServer(message),
      onParameter: (name, value) => this.#known.set(name, value),
      onBytes: (read) => forward(this.#read(read), { from: upstream.socket, to: this.#client }),
      onClosed: () => {
        // As the server does it: without a word of ours, after what it said last.
        if (this.#server === link) this.close()
      },
    })
    return link
  }

  #onClientData(chunk: Buffer): void {
    if (this.isClosed) return
    this.hasSpoken = true
    this.#usedBy = this.#options.getPhase()
    const server = this.#server
    const isOpen = !this.#isHeld && this.#attaching === undefined && this.#waiting.length === 0
    if (server !== undefined && isOpen) {
      return forward(
        this.#read(() => this.#reader.push(chunk)),
        { from: this.#client, to: server.socket },
      )
    }
    if (server === undefined && chunk[0] === frontend.terminate) return this.close()
    if (this.#isRetired) return this.refuse(this.#options.gone)
    this.#waiting.push(chunk)
    this.#client.pause()
    if (!this.#isHeld) this.#wake()
  }

  /** @returns what `read` finds, or nothing when the other side does not speak the protocol: then it is over. */
  #read(read: () => Buffer[]): Buffer[] {
    try {
      return read()
    } catch (error) {
      log('%s: %O', this.user, error)
      this.refuse({ code: '08P01', message: `pg-branch's gateway cannot read this: ${String(error)}` })
      return []
    }
  }

  /** Sees to it that there is a server, then takes what the client has said meanwhile. */
  #wake(): void {
    this.#attaching ??= this.#attach()
      .catch((error: unknown) => this.refuse(this.#options.explain(error)))
      .finally(() => {
        this.#attaching = undefined
        if (this.#isHeld) return
        for (const chunk of this.#waiting.splice(0)) this.#onClientData(chunk)
        if (this.#waiting.length === 0) this.#client.resume()
      })
  }

  async #attach(): Promise<void> {
    if (this.#server !== undefined) return
    const upstream = await this.#options.open()
    if (this.isClosed) return void upstream.socket.destroy()
    const server = this.#link(upstream)
    this.#server = server
    if (this.#carried !== undefined) await carry(server, createCarrySql(this.#carried))
    this.#carried = undefined
    reportParameters(this.#client, this.#known, server.parameters)
  }
}
