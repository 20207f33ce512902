import type { Socket } from 'node:net'
import { createFrameReader, type Verdict } from './frames.ts'
import {
  GatewayRefusal,
  backend,
  createMessage,
  frontend,
  readCStrings,
  readErrorResponse,
  sqlState,
} from './messages.ts'
import type { Upstream } from './upstream.ts'

/** What is asked of the server behind the client's back, while the client says nothing. */
interface RoundTrip {
  messages: Buffer[]
  resolve(messages: Buffer[]): void
  reject(error: unknown): void
}

export interface ServerLinkEvents {
  /** Which messages `onMessage` is to see. */
  wants(type: number): boolean
  onMessage(message: Buffer): Verdict
  onParameter(name: string, value: string): void
  /** Bytes for the client; `read` finds them, and may throw. */
  onBytes(read: () => Buffer[]): void
  /** The server hung up. */
  onClosed(): void
}

const lingerMs = 1_000
const politeMs = 30

/** A client's connection to one server. States: *relaying* ⇄ *asking* (`ask`) → *left*, by `leave` or when the server hangs up. */
export class ServerLink {
  readonly socket: Socket
  readonly key: Buffer
  /** Settings that the server reports, by name. */
  readonly parameters: Map<string, string>
  #roundTrip: RoundTrip | undefined
  #hasLeft = false

  constructor(upstream: Upstream, events: ServerLinkEvents) {
    const { socket } = upstream
    this.socket = socket
    this.key = upstream.key
    this.parameters = upstream.parameters
    const reader = createFrameReader({
      isWanted: (type) => this.#roundTrip !== undefined || type === backend.parameterStatus || events.wants(type),
      onMessage: (message) => this.#onMessage(message, events),
    })
    socket.on('data', (chunk: Buffer) => {
      if (!this.#hasLeft) events.onBytes(() => reader.push(chunk))
    })
    socket.once('close', () => {
      if (this.#hasLeft) return
      this.#hasLeft = true
      this.#roundTrip?.reject(
        new GatewayRefusal({ code: sqlState.connectionFailure, message: "the branch's server hung up" }),
      )
      events.onClosed()
    })
    socket.resume()
  }

  /**
   * Sends `bytes`, which must end a cycle, and keeps the answers from the client.
   *
   * @throws GatewayRefusal with the server's error.
   */
  ask(bytes: Buffer): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      this.#roundTrip = { messages: [], resolve, reject }
      // It may rest because its client does not read; these answers are not for the client.
      this.socket.resume()
      this.socket.write(bytes)
    })
  }

  /**
   * Says goodbye to the server: in a moment, since each process that wakes up to end takes the core from
   * whoever waits for us, or at once.
   */
  leave({ isUrgent = false }: { isUrgent?: boolean } = {}): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#roundTrip?.reject(
      new GatewayRefusal({ code: sqlState.connectionFailure, message: 'the connection was closed' }),
    )
    const { socket } = this
    const end = () => {
      if (socket.writable) socket.end(createMessage(frontend.terminate))
      socket.resume()
    }
    if (isUrgent) end()
    else setTimeout(end, politeMs)
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }

  #onMessage(message: Buffer, events: ServerLinkEvents): Verdict {
    const type = message[0]
    if (type === backend.parameterStatus) {
      const [name = '', value = ''] = readCStrings(message, 5)
      this.parameters.set(name, value)
      if (this.#roundTrip !== undefined) return 'swallow'
      events.onParameter(name, value)
      return 'pass'
    }
    const roundTrip = this.#roundTrip
    if (roundTrip === undefined) return events.onMessage(message)
    if (type === backend.notification || type === backend.noticeResponse) return 'pass'
    // The chunk that it came in may be gone by the time it is read.
    roundTrip.messages.push(Buffer.from(message))
    if (type !== backend.readyForQuery) return 'swallow'
    this.#roundTrip = undefined
    const error = roundTrip.messages.find(([first]) => first === backend.errorResponse)
    if (error === undefined) roundTrip.resolve(roundTrip.messages)
    else roundTrip.reject(new GatewayRefusal(readErrorResponse(error)))
    return 'swallow'
  }
}
