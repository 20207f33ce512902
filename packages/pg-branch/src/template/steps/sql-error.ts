import { PgBranchError, describeError } from '../../lib/errors.ts'
import type { SqlItem } from './split-sql.ts'
import { findStepHint } from './step-hint.ts'

interface PostgresErrorFields {
  message: string
  detail?: string
  hint?: string
  position?: string
  where?: string
}

/** @returns the error with its place in the file, and the statement. */
export function toStepError({ error, item, name }: { error: unknown; item: SqlItem; name: string }): PgBranchError {
  if (error instanceof PgBranchError) {
    const place = `${name}:${item.line}:${item.column}`
    return new PgBranchError(`${place}: ${error.summary}`, { code: error.code, hint: error.hint, cause: error })
  }
  const { detail, hint, position, where } = error as PostgresErrorFields
  const { line, column } = locate(item, position)
  const shown = item.text.length > 400 ? `${item.text.slice(0, 400)} …` : item.text
  const parts = [
    `${name}:${line}:${column}: ${describeError(error)}`,
    detail === undefined ? '' : `  detail: ${detail}`,
    where === undefined ? '' : `  where: ${where}`,
    item.kind === 'statement' || item.kind === 'copy' ? `  statement: ${shown}` : '',
  ]
  return new PgBranchError(parts.filter((part) => part !== '').join('\n'), {
    code: 'PGB_STEP_FAILED',
    hint:
      findStepHint(describeError(error)) ?? hint ?? 'Correct the file; the template is built again on the next run.',
    cause: error,
  })
}

/** Postgres counts characters from the start of the statement; a user wants a line and a column of the file. */
function locate(item: SqlItem, position: string | undefined): { line: number; column: number } {
  if (position === undefined) return item
  const before = [...item.text].slice(0, Number(position) - 1).join('')
  const lines = before.split('\n')
  const last = lines.at(-1) ?? ''
  return lines.length === 1
    ? { line: item.line, column: item.column + [...last].length }
    : { line: item.line + lines.length - 1, column: [...last].length + 1 }
}
