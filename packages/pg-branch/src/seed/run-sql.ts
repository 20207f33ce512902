import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { finished } from 'node:stream/promises'
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams'
import { PgBranchError } from '../lib/errors.ts'
import { stripLeadingComments } from '../sql/leading-comments.ts'
import { SqlSplitter, type SqlItem } from '../sql/split-sql.ts'
import type { StepRun } from './contract.ts'
import { detectDump, type DumpFormat } from './dump-format.ts'
import { DumpHeader } from './dump-header.ts'
import { createDumpRules, type DumpRules } from './dump-rules.ts'
import { openText, readLines } from './open-text.ts'
import { toStepError } from './sql-error.ts'
import { SqlSession } from './sql-session.ts'
import { beginFile, endFile, type FileTransaction } from './sql-transaction.ts'

/** How the text of a file is read and run. */
export interface SqlFileOptions {
  format?: Exclude<DumpFormat, 'archive'>
  /** Whether the text of a pg_dump must have the comment that is at its end. */
  mustEnd?: boolean
  /** What is left out and forgiven; default: what psql's users forgive, where the text is a dump. */
  rules?: DumpRules
  /** Whether each file is one transaction. */
  transaction?: FileTransaction | undefined
}

/** What a file turned out to be. */
export interface SqlFilesResult {
  /** In which the last file ended; `\connect` may have changed it. */
  database: string
  /** Databases that `\connect` has led to. */
  visited: string[]
  /** Whether the last was a dump of a whole server. */
  isCluster: boolean
}

/**
 * Runs SQL files one after another, each in a clean session.
 *
 * @throws PgBranchError `PGB_STEP_FAILED` that names file, line, column and statement.
 */
export async function runSqlFiles(
  files: string[],
  run: StepRun,
  options: SqlFileOptions = {},
): Promise<SqlFilesResult> {
  const session = new SqlSession(run)
  try {
    let isCluster = false
    for (const file of files) isCluster = await runFile(file, { ...options, session, run })
    return { database: session.database, visited: [...session.visited], isCluster }
  } finally {
    await session.close()
  }
}

/** A dump that is run by `sql(…)` is loaded as psql loads it, but for what `dump(…)` leaves out. */
const rulesOfText = createDumpRules({ owners: true })

/** @returns whether it was a dump of a whole server. */
async function runFile(
  path: string,
  options: SqlFileOptions & { session: SqlSession; run: StepRun },
): Promise<boolean> {
  const { session, run } = options
  const name = relative(run.baseDir, path)
  const totalBytes = (await stat(path)).size
  const format = options.format ?? (await requirePlain(path, name))
  const header = new DumpHeader(name)
  const getRules = () => options.rules ?? (header.isDump ? rulesOfText : undefined)
  const told = new Set<string>()
  const splitter = new SqlSplitter(session)
  const counts = { statements: 0, rows: 0, bytes: 0 }
  const report = () => run.onProgress({ file: name, totalBytes, ...counts })
  const opened = await openText(path, { format, name })
  await session.reset(opened)
  const reopen = async function* () {
    yield* readLines(await openText(path, { format, name }), name)
  }
  const transaction = await beginFile(session, { name, mode: options.transaction, text: reopen })
  let copy: RunningCopy | undefined
  const runItem = async (item: SqlItem) => {
    if (item.kind === 'copy') copy = startCopy((await session.getClient()).query(copyFrom(item.text)))
    else if (item.kind === 'copyData') await writeRows(copy, item)
    else if (item.kind === 'copyEnd') counts.rows += await finishRows(copy)
    else if (item.kind === 'command') await session.runCommand(item.text)
    else counts.rows += await session.runStatement(item.text)
  }
  const execute = async (item: SqlItem) => {
    if (session.hasQuit) return
    const rules = item.kind === 'statement' ? getRules() : undefined
    // What the bytes are is said by the file's mark, and they have been changed to that.
    const isDone = opened.isTranscoded && item.kind === 'statement' && setsEncoding(item.text)
    const leftOut = isDone ? 'client_encoding, since the file is UTF-16' : rules?.findLeftOut(item.text)
    if (leftOut !== undefined) return void told.add(leftOut)
    refuseZeroBytes(item, name)
    try {
      await runItem(item)
    } catch (error) {
      // In a transaction nothing can be forgiven: all of it is gone.
      const forgiven = session.isInTransaction ? undefined : rules?.findForgiven(item.text, error)
      if (forgiven === undefined) {
        const { clientEncoding } = session
        throw toStepError({ error, item, name, encoding: clientEncoding, firstRowLine: copy?.firstRowLine })
      }
      told.add(forgiven)
    }
    if (item.kind === 'statement' || item.kind === 'copy') counts.statements += 1
  }
  for await (const lines of readLines(opened, name)) {
    counts.bytes = opened.file.bytesRead
    header.push(lines)
    for (const item of splitter.push(lines)) await execute(item)
    report()
  }
  const { items, unterminated } = splitter.end()
  if (unterminated !== undefined && !session.hasQuit) {
    const { line, column, state } = unterminated
    throw new PgBranchError(`${name}:${line}:${column}: the file ends inside ${unfinished[state]} that began here`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Close it, or see whether the file was cut off.',
    })
  }
  for (const item of items) await execute(item)
  await endFile(session, transaction)
  if (options.mustEnd === true) header.requireEnd({ isEmpty: counts.bytes === 0 })
  report()
  if (told.size > 0) run.notice(`${name}: left out or forgiven: ${[...told].join('; ')}`)
  return header.isCluster
}

function setsEncoding(text: string): boolean {
  return /^SET\s+(SESSION\s+|LOCAL\s+)?(client_encoding\b|NAMES\b)|^SELECT\s+(pg_catalog\.)?set_config\s*\(\s*'client_encoding'/i.test(
    stripLeadingComments(text),
  )
}

function refuseZeroBytes({ text, line, column }: SqlItem, name: string): void {
  if (!text.includes('\0')) return
  throw new PgBranchError(`${name}:${line}:${column}: there is a zero byte, which no text of SQL has`, {
    code: 'PGB_STEP_FAILED',
    hint: 'Is the file UTF-16 without a mark, or no text at all? Save it as UTF-8.',
  })
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

/** A `COPY … FROM stdin` under way. An error, whenever it comes, is reported at its end. */
interface RunningCopy {
  stream: CopyStreamQuery
  firstRowLine: number | undefined
  error: unknown
}

function startCopy(stream: CopyStreamQuery): RunningCopy {
  const copy: RunningCopy = { stream, firstRowLine: undefined, error: undefined }
  stream.on('error', (error) => (copy.error ??= error))
  return copy
}

async function writeRows(copy: RunningCopy | undefined, { text, line }: SqlItem): Promise<void> {
  if (copy === undefined) return
  copy.firstRowLine ??= line
  const { stream } = copy
  if (stream.destroyed) return
  if (!stream.write(Buffer.from(text, 'latin1'))) await Promise.race([once(stream, 'drain'), once(stream, 'close')])
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
