import { PgBranchError, describeError } from '../lib/errors.ts'
import type { SqlItem } from '../sql/split-sql.ts'
import { decodeText, findInvalidUtf8 } from '../sql/text-encoding.ts'
import { findStepHint } from './step-hint.ts'

interface PostgresErrorFields {
  message: string
  code?: string
  detail?: string
  hint?: string
  position?: string
  where?: string
}

/** SQLSTATE character_not_in_repertoire. */
const invalidBytes = '22021'
const shownChars = 400

/**
 * @param options.encoding what the text's bytes mean.
 * @param options.firstRowLine of a COPY, the line of its first row.
 * @returns the error with its place in the file, the statement, and all that the server said of it.
 */
export function toStepError(options: {
  error: unknown
  item: SqlItem
  name: string
  encoding: string
  firstRowLine?: number | undefined
}): PgBranchError {
  const { error, item, name, encoding, firstRowLine } = options
  if (error instanceof PgBranchError) {
    const place = `${name}:${item.line}:${item.column}`
    return new PgBranchError(`${place}: ${error.summary}`, { code: error.code, hint: error.hint, cause: error })
  }
  const { code, detail, hint, position, where } = error as PostgresErrorFields
  const text = decodeText(item.text, encoding)
  const row = firstRowLine === undefined ? undefined : findRow(where)
  const invalid = code === invalidBytes && encoding === 'UTF8' ? findInvalidUtf8(item.text) : undefined
  const place =
    invalid === undefined ? Number(position) - 1 : [...decodeText(item.text.slice(0, invalid), encoding)].length
  const { line, column } =
    row !== undefined && firstRowLine !== undefined
      ? { line: firstRowLine + row - 1, column: 1 }
      : locate(item, text, Number.isNaN(place) ? undefined : place)
  const shown = text.length > shownChars ? `${text.slice(0, shownChars)} …` : text
  const parts = [
    `${name}:${line}:${column}: ${describeError(error)}`,
    detail === undefined ? '' : `  detail: ${detail}`,
    hint === undefined ? '' : `  hint of the server: ${hint}`,
    where === undefined ? '' : `  where: ${where}`,
    item.kind === 'statement' || item.kind === 'copy' ? `  statement: ${shown}` : '',
  ]
  return new PgBranchError(parts.filter((part) => part !== '').join('\n'), {
    code: 'PGB_STEP_FAILED',
    hint: findStepHint(error),
    cause: error,
  })
}

/** A COPY counts its rows as lines (source: CopyFromErrorCallback in copyfrom.c). */
function findRow(where: string | undefined): number | undefined {
  const [, row] = /^COPY .*, line (\d+)/.exec(where ?? '') ?? []
  return row === undefined ? undefined : Number(row)
}

/** Postgres counts characters from the start of the statement; a user wants a line and a column of the file. */
function locate(item: SqlItem, text: string, position: number | undefined): { line: number; column: number } {
  if (position === undefined) return item
  const before = [...text].slice(0, position).join('')
  const lines = before.split('\n')
  const last = lines.at(-1) ?? ''
  return lines.length === 1
    ? { line: item.line, column: item.column + [...last].length }
    : { line: item.line + lines.length - 1, column: [...last].length + 1 }
}
