import createDebug from 'debug'

export type Log = (format: string, ...args: unknown[]) => void

/** Writes to stderr (never stdout) when `DEBUG=pg-branch:<area>` or `DEBUG=pg-branch:*` is set. */
export function createLog(area: string): Log {
  return createDebug(`pg-branch:${area}`)
}
