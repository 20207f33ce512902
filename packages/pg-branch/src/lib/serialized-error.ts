import { PgBranchError, type PgBranchErrorCode } from './errors.ts'
import { explainSystemError } from './system-errors.ts'

/** The plain form in which an error crosses a process boundary. */
export interface SerializedError {
  code: PgBranchErrorCode
  message: string
  hint?: string | undefined
}

export function serializeError(error: unknown): SerializedError {
  const known = isOurs(error) ? error : explainSystemError(error)
  if (known !== undefined) return { code: known.code, message: known.summary, hint: known.hint }
  return { code: 'PGB_INTERNAL', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

/** A package beside us may have a copy of this class of its own. */
function isOurs(error: unknown): error is PgBranchError {
  return error instanceof PgBranchError || (error instanceof Error && error.name === 'PgBranchError' && 'code' in error)
}

/** @param error what came over a boundary: anything. */
export function deserializeError(error: unknown): PgBranchError {
  const { code, message, hint } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const restored = new PgBranchError(typeof message === 'string' ? message : 'an error without a message', {
    // Whoever sends one of another version may know more of them than we do.
    code: typeof code === 'string' && code.startsWith('PGB_') ? (code as PgBranchErrorCode) : 'PGB_INTERNAL',
    hint: typeof hint === 'string' ? hint : undefined,
  })
  // Frames of ours say nothing to whoever reads this in a test report.
  restored.stack = `${restored.name}: ${restored.message}`
  return restored
}
