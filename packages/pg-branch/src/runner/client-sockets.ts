import { Socket } from 'node:net'
import { createErrorResponse, frontend } from '../gateway/messages.ts'
import { testBranchGone } from '../protocol/gone.ts'

/** There is one registry in a process, although test runners may load several copies of this module. */
const registryKey = Symbol.for('pg-branch.client-sockets')

type Registry = Map<WeakRef<Socket>, number>

/** Drivers make a socket and connect it, which Node tells nobody of: it is noted where they do. */
function getRegistry(): Registry {
  const holder = globalThis as unknown as Record<symbol, Registry | undefined>
  const known = holder[registryKey]
  if (known !== undefined) return known
  const registry: Registry = new Map()
  holder[registryKey] = registry
  const { connect } = Socket.prototype as unknown as { connect: (this: Socket, ...args: unknown[]) => Socket }
  const connectAndNote = function (this: Socket, ...args: unknown[]): Socket {
    this.once('connect', () => {
      const { remotePort } = this
      if (remotePort === undefined) return
      const reference = new WeakRef(this)
      registry.set(reference, remotePort)
      this.once('close', () => registry.delete(reference))
    })
    return connect.apply(this, args)
  }
  Object.assign(Socket.prototype, { connect: connectAndNote })
  return registry
}

/** From now on notes which sockets lead where. */
export function watchClientSockets(): void {
  getRegistry()
}

/**
 * Lets go of every connection to a port whose server is about to end. On plain Postgres a pool that nobody ends is
 * ordinary: its connections just stay until the process exits. Drivers would take their end for an unhandled error, so
 * they do not hear of it; whoever uses one after all is told why there is no answer.
 */
export function retireClientSockets(port: number): void {
  for (const [reference, remotePort] of getRegistry()) {
    const socket = reference.deref()
    if (socket === undefined) getRegistry().delete(reference)
    else if (remotePort === port) retire(socket)
  }
}

const unheard = new Set(['close', 'data', 'end', 'error', 'finish', 'timeout'])

function retire(socket: Socket): void {
  const emit = socket.emit.bind(socket)
  let hasTold = false
  socket.unref()
  // Else Node itself ends it when the server does.
  socket.allowHalfOpen = true
  socket.emit = (event: string, ...args: unknown[]) => !unheard.has(event) && emit(event, ...args)
  const tell = () => {
    if (hasTold) return
    hasTold = true
    emit('data', createErrorResponse(testBranchGone))
    emit('end')
    emit('close', false)
  }
  socket.write = (...args: unknown[]) => {
    const [chunk] = args
    const isGoodbye = chunk instanceof Uint8Array && chunk[0] === frontend.terminate
    if (!isGoodbye) queueMicrotask(tell)
    const callback = args.at(-1)
    if (typeof callback === 'function') queueMicrotask(() => (callback as () => void)())
    return true
  }
  socket.end = (...args: unknown[]) => {
    // Whoever ends it, ends it, and hears so.
    queueMicrotask(() => {
      const callback = args.at(-1)
      if (typeof callback === 'function') (callback as () => void)()
      emit('end')
      emit('close', false)
    })
    socket.destroy()
    return socket
  }
}
