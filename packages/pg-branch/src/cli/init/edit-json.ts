import { PgBranchError, describeError } from '../../lib/errors.ts'

/**
 * Changes JSON, and keeps its indentation.
 *
 * @returns undefined if `change` says that it cannot be done.
 * @throws PgBranchError `PGB_ARGUMENT` for what is no JSON.
 */
export function editJson(text: string, change: (value: Record<string, unknown>) => boolean): string | undefined {
  const value = parse(text)
  if (!change(value)) return undefined
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  '
  return `${JSON.stringify(value, undefined, indent)}\n`
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw new PgBranchError(`the runner’s configuration is not valid JSON: ${describeError(error)}`, {
      code: 'PGB_ARGUMENT',
      hint: 'Correct it first.',
      cause: error,
    })
  }
}
