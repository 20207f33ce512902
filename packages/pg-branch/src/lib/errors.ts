/** What went wrong, as a stable name that code and documentation can refer to. */
export type PgBranchErrorCode =
  | 'PGB_ARGUMENT'
  | 'PGB_ARTEFACT'
  | 'PGB_BRANCH_START'
  | 'PGB_BRANCH_UNKNOWN'
  | 'PGB_COMMAND_NOT_FOUND'
  | 'PGB_CONFIG_AMBIGUOUS'
  | 'PGB_CONFIG_FOREIGN'
  | 'PGB_CONFIG_INVALID'
  | 'PGB_CONFIG_LOAD'
  | 'PGB_CONFIG_NOT_FOUND'
  | 'PGB_DIFF'
  | 'PGB_DISK_FULL'
  | 'PGB_GATEWAY'
  | 'PGB_HOME_UNUSABLE'
  | 'PGB_INGEST'
  | 'PGB_INITDB'
  | 'PGB_LEASE'
  | 'PGB_LEFT_OVER'
  | 'PGB_NO_PROVIDER'
  | 'PGB_NO_VOLUME'
  | 'PGB_ON_FORK'
  | 'PGB_OPTION_INVALID'
  | 'PGB_PERMISSION'
  | 'PGB_PORT'
  | 'PGB_PRESET_TOOL'
  | 'PGB_PROTOCOL'
  | 'PGB_SCOPE'
  | 'PGB_SERVER'
  | 'PGB_SNAPSHOT'
  | 'PGB_SNAPSHOT_UNKNOWN'
  | 'PGB_STORE'
  | 'PGB_STEP_FAILED'
  | 'PGB_STEP_INPUT'
  | 'PGB_SUPERVISOR_GONE'
  | 'PGB_SUPERVISOR_START'
  | 'PGB_SUPERVISOR_VERSION'
  | 'PGB_TEMPLATE_IN_USE'
  | 'PGB_TEMPLATE_UNKNOWN'
  | 'PGB_TOO_MANY_CONNECTIONS'
  | 'PGB_VITEST_UNSUPPORTED'
  | 'PGB_VOLUME'
  | 'PGB_INTERNAL'

export interface PgBranchErrorOptions {
  code: PgBranchErrorCode
  /** What to do about it: one or more sentences, shown below the message. */
  hint?: string | undefined
  cause?: unknown
}

/**
 * The only error this project throws on purpose. `message` names the object and what failed;
 * `hint` says what to do. Both are in `toString()` and in the stack, so that a test runner that
 * prints only one of them still shows everything.
 */
export class PgBranchError extends Error {
  override readonly name = 'PgBranchError'
  readonly code: PgBranchErrorCode
  readonly hint: string | undefined
  /** The message without code and hint, for callers that lay these out themselves. */
  readonly summary: string

  constructor(message: string, options: PgBranchErrorOptions) {
    const hint = options.hint === undefined ? '' : `\n  → ${options.hint.replaceAll('\n', '\n    ')}`
    super(`${message}${hint} [${options.code}]`, options.cause === undefined ? {} : { cause: options.cause })
    this.code = options.code
    this.hint = options.hint
    this.summary = message
  }
}

/** @returns what `error` says, whatever was thrown. */
export function describeError(error: unknown): string {
  if (error instanceof PgBranchError) return error.summary
  return error instanceof Error ? error.message : String(error)
}

/** @returns the operating system's code (`ENOENT` …) or Postgres's SQLSTATE of `error`, if it has one. */
export function getErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}
