/**
 * A timer knows nothing of a clock that was put forwards or of a machine that slept, and fires at once beyond
 * 2³¹ ms (Node's documentation of `setTimeout`). So it is looked again this often while there is something to wait for.
 */
const maxDelayMs = 10_000

/** Runs `onDue` at the earliest of several times, which may change. */
export interface ExpiryTimer {
  /** @param times milliseconds since 1970; Infinity: never. */
  set(times: number[]): void
  stop(): void
}

export function createExpiryTimer(onDue: () => Promise<void>): ExpiryTimer {
  let timer: NodeJS.Timeout | undefined
  return {
    set(times) {
      clearTimeout(timer)
      const next = Math.min(...times)
      if (!Number.isFinite(next)) return
      timer = setTimeout(() => void onDue(), Math.min(maxDelayMs, Math.max(0, next - Date.now())))
    },
    stop() {
      clearTimeout(timer)
    },
  }
}
