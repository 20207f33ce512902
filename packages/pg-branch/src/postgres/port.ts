import getPort from 'get-port'
import { PgBranchError } from '../lib/errors.ts'

/** Below the ranges from which Linux (32768) and macOS (49152) take ports of outgoing connections. */
const firstPort = 20_000
const lastPort = 32_000

/** @returns a port that was free on loopback a moment ago and that this process did not get recently. */
export async function findFreePort(): Promise<number> {
  const span = lastPort - firstPort
  // Processes start at different places, so that they rarely race for the same port.
  const candidates = Array.from({ length: 64 }, () => firstPort + Math.floor(Math.random() * span))
  try {
    return await getPort({ port: candidates, host: '127.0.0.1' })
  } catch (error) {
    throw new PgBranchError('no free TCP port was found on 127.0.0.1', {
      code: 'PGB_PORT',
      hint: 'Close programs that hold ports, or see whether loopback is up.',
      cause: error,
    })
  }
}
