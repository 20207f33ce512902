import { openUpstream, type GatewayTarget, type Upstream } from './upstream.ts'

/** The next branch of a gateway, with connections to it that are open already. */
export interface Prepared {
  target: GatewayTarget
  /** @returns one that was opened with exactly these parameters, once. */
  take(parameters: ReadonlyMap<string, string>): Upstream | undefined
  /** Ends those that nobody took. */
  close(): void
}

/** Opens a connection for each of `wanted`. One that fails is left out: whoever needs it tries again, and is told. */
export async function prepareTarget(
  target: GatewayTarget,
  wanted: Array<ReadonlyMap<string, string>>,
): Promise<Prepared> {
  const opened = await Promise.all(
    wanted.map(async (parameters) => {
      const upstream = await openUpstream(target, new Map(parameters)).catch(() => undefined)
      return upstream === undefined ? [] : [{ key: createKey(parameters), upstream }]
    }),
  )
  const ready = opened.flat()
  return {
    target,
    take(parameters) {
      const index = ready.findIndex(({ key, upstream }) => key === createKey(parameters) && upstream.socket.writable)
      return index === -1 ? undefined : ready.splice(index, 1)[0]?.upstream
    },
    close() {
      for (const { upstream } of ready.splice(0)) upstream.socket.destroy()
    },
  }
}

function createKey(parameters: ReadonlyMap<string, string>): string {
  return JSON.stringify([...parameters])
}
