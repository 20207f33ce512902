import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import type { StepRun } from './contract.ts'
import { detectDump, type DumpFormat } from './dump-format.ts'
import { DumpTrailer } from './dump-trailer.ts'
import { openText } from './open-text.ts'
import { SqlSplitter, type SqlItem } from './split-sql.ts'
import { toStepError } from './sql-error.ts'
import { SqlSession } from './sql-session.ts'

/** How the text of a file is read, and what of it need not succeed. */
export interface SqlFileOptions {
  format?: Exclude<DumpFormat, 'archive'>
  /** Whether the text of a pg_dump must have the comment that is at its end. */
  mustEnd?: boolean
  /** @returns whether to leave this out. */
  isSkipped?(item: SqlItem): boolean
  /** @returns whether to go on after this error of a statement. */
  isHarmless?(error: unknown, item: SqlItem): boolean
}

/**
 * Runs SQL files one after another, each in a clean session.
 *
 * @returns the database that the last file ended in, which `\connect` may have changed.
 * @throws PgBranchError `PGB_STEP_FAILED` that names file, line, column and statement.
 */
export async function runSqlFiles(files: string[], run: StepRun, options: SqlFileOptions = {}): Promise<string> {
  const session = new SqlSession(run)
  try {
    for (const file of files) await runFile(file, { ...options, session, run })
    return session.database
  } finally {
    await session.close()
  }
}

async function runFile(path: string, options: SqlFileOptions & { session: SqlSession; run: StepRun }): Promise<void> {
  const { session, run, isSkipped, isHarmless } = options
  const name = relative(run.baseDir, path)
  const totalBytes = (await stat(path)).size
  const format = options.format ?? (await requirePlain(path, name))
  const trailer = new DumpTrailer(name)
  const splitter = new SqlSplitter()
  const counts = { statements: 0, rows: 0, bytes: 0 }
  const report = () => run.onProgress({ file: name, totalBytes, ...counts })
  await session.reset()
  let copy: RunningCopy | undefined
  const execute = async (item: SqlItem) => {
    if (isSkipped?.(item) === true) return
    try {
      if (item.kind === 'copy') copy = startCopy((await session.getClient()).query(copyFrom(item.text)))
      else if (item.kind === 'copyData') await writeRows(copy, item.text)
      else if (item.kind === 'copyEnd') counts.rows += await finishRows(copy)
      else if (item.kind === 'command') await session.runCommand(item.text)
      else counts.rows += await session.runStatement(item.text)
    } catch (error) {
      if (isHarmless?.(error, item) !== true) throw toStepError({ error, item, name })
    }
    if (item.kind === 'statement' || item.kind === 'copy') counts.statements += 1
  }
  const { text, file } = openText(path, format)
  for await (const lines of readLines(text, name)) {
    counts.bytes = file.bytesRead
    if (options.mustEnd === true) trailer.push(lines)
    for (const item of splitter.push(lines)) await execute(item)
    report()
  }
  const { items, unterminated } = splitter.end()
  if (unterminated !== undefined) {
    const { line, column } = splitter.start
    throw new PgBranchError(
      `${name}:${line}:${column}: the file ends inside ${unfinished[unterminated]} that began here`,
      {
        code: 'PGB_STEP_FAILED',
        hint: 'Close it, or see whether the file was cut off.',
      },
    )
  }
  for (const item of items) await execute(item)
  trailer.end()
  report()
}

/** @throws PgBranchError `PGB_STEP_FAILED` for a file that is no SQL text but a dump of another format. */
async function requirePlain(path: string, name: string): Promise<'plain'> {
  const format = (await detectDump(path))?.format
  if (format === 'plain') return format
  throw new PgBranchError(
    `${name} is no SQL text but ${format === 'archive' ? 'an archive of pg_dump' : `compressed (${format})`}`,
    {
      code: 'PGB_STEP_FAILED',
      hint: `dump('${name}') restores it.`,
    },
  )
}

const unfinished = {
  string: 'a string',
  escapeString: 'a string',
  identifier: 'a quoted name',
  dollar: 'a dollar-quoted string',
  blockComment: 'a comment',
  copy: 'the rows of a COPY (no `\\.`)',
}

/** Yields a text in pieces of whole lines, every byte as it is. */
async function* readLines(stream: Readable, name: string): AsyncGenerator<string> {
  let rest = ''
  let isFirst = true
  try {
    for await (const chunk of stream) {
      const text: string = rest + (isFirst ? (chunk as string).replace(/^\uFEFF/, '') : (chunk as string))
      isFirst = false
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      if (end > 0) yield text.slice(0, end)
    }
  } catch (error) {
    throw new PgBranchError(`${name} cannot be read: ${describeError(error)}`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Is it whole? A compressed file that was cut off, or changed, cannot be unpacked.',
      cause: error,
    })
  }
  if (rest !== '') yield rest
}

/** A `COPY … FROM stdin` under way. An error, whenever it comes, is reported at its end. */
interface RunningCopy {
  stream: CopyStreamQuery
  error: unknown
}

function startCopy(stream: CopyStreamQuery): RunningCopy {
  const copy: RunningCopy = { stream, error: undefined }
  stream.on('error', (error) => (copy.error ??= error))
  return copy
}

async function writeRows(copy: RunningCopy | undefined, rows: string): Promise<void> {
  if (copy === undefined || copy.stream.destroyed) return
  const { stream } = copy
  if (!stream.write(rows)) await Promise.race([once(stream, 'drain'), once(stream, 'close')])
}

async function finishRows(copy: RunningCopy | undefined): Promise<number> {
  if (copy === undefined) return 0
  const { stream } = copy
  if (!stream.destroyed) {
    stream.end()
    await finished(stream).catch(() => {})
  }
  if (copy.error !== undefined) throw copy.error
  return stream.rowCount ?? 0
}
