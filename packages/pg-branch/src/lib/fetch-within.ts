/** What a server said, all of it or piece by piece. */
export interface FetchedAnswer {
  response: Response
  /** Gives the pieces of the body. */
  body: AsyncIterable<Uint8Array>
}

/**
 * Fetches, and gives up when nothing has come for so long: however large the answer is, and however the connection
 * hangs.
 *
 * @throws Error `nothing came for … s`, and what `fetch` throws.
 */
export async function fetchWithin(
  url: string | URL,
  init: RequestInit,
  { idleMs }: { idleMs: number },
): Promise<FetchedAnswer> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(() => controller.abort(new IdleError(idleMs)), idleMs)
  }
  wait()
  const response = await fetch(url, { ...init, signal: controller.signal }).catch((error: unknown) => {
    clearTimeout(timer)
    throw error
  })
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        wait()
        yield chunk as Uint8Array
      }
    } finally {
      clearTimeout(timer)
    }
  }
  return { response, body: read() }
}

/** Tells that a server takes too long, and is not to be asked again at once. */
export class IdleError extends Error {
  constructor(idleMs: number) {
    super(`nothing came for ${idleMs / 1_000} s`)
  }
}
