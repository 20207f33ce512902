import { PgBranchError, type PgBranchErrorCode } from '../lib/errors.ts'

/** What the user can put right in what they wrote: arguments, configuration, seed. */
const userErrors: ReadonlySet<PgBranchErrorCode> = new Set<PgBranchErrorCode>([
  'PGB_ARGUMENT',
  'PGB_ARTEFACT',
  'PGB_BRANCH_UNKNOWN',
  'PGB_CONFIG_AMBIGUOUS',
  'PGB_CONFIG_FOREIGN',
  'PGB_CONFIG_INVALID',
  'PGB_CONFIG_LOAD',
  'PGB_CONFIG_NOT_FOUND',
  'PGB_ON_FORK',
  'PGB_OPTION_INVALID',
  'PGB_PRESET_TOOL',
  'PGB_SCOPE',
  'PGB_SNAPSHOT_UNKNOWN',
  'PGB_STEP_FAILED',
  'PGB_STEP_INPUT',
  'PGB_TEMPLATE_IN_USE',
  'PGB_TEMPLATE_UNKNOWN',
])

/** @returns 1 for what the user wrote, 2 for the system, 127 as a shell does for a command that there is not. */
export function getExitCode(error: unknown): number {
  if (!(error instanceof PgBranchError)) return error instanceof Error && error.name === 'CLIError' ? 1 : 2
  if (error.code === 'PGB_COMMAND_NOT_FOUND') return 127
  return userErrors.has(error.code) ? 1 : 2
}
