import { GatewayRefusal, sqlState } from './messages.ts'

/**
 * Asks again what the session's own `statement_timeout` has cut off: it may be a millisecond, and holds until what is
 * asked has switched it off.
 */
export async function askPatiently<T>(ask: () => Promise<T>, { maxAsks }: { maxAsks: number }): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask()
    } catch (error) {
      const isCancelled = error instanceof GatewayRefusal && error.fields.code === sqlState.queryCanceled
      if (!isCancelled || attempt >= maxAsks) throw error
    }
  }
}
