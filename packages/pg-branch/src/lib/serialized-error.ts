import { PgBranchError, type PgBranchErrorCode } from './errors.ts'
import { explainSystemError } from './system-errors.ts'

/** The plain form in which an error crosses a process boundary. */
export interface SerializedError {
  code: PgBranchErrorCode
  message: string
  hint?: string | undefined
}

export function serializeError(error: unknown): SerializedError {
  const known = error instanceof PgBranchError ? error : explainSystemError(error)
  if (known !== undefined) return { code: known.code, message: known.summary, hint: known.hint }
  return { code: 'PGB_INTERNAL', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

export function deserializeError(error: SerializedError): PgBranchError {
  const restored = new PgBranchError(error.message, { code: error.code, hint: error.hint })
  // Frames of ours say nothing to whoever reads this in a test report.
  restored.stack = `${restored.name}: ${restored.message}`
  return restored
}
