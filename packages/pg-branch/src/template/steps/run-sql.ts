import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Client } from 'pg'
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import { SqlSplitter, type SqlItem } from './split-sql.ts'
import type { StepRun } from './contract.ts'
import { findStepHint } from './step-hint.ts'
import { parseConnectCommand, parseDatabaseStatement } from './psql-command.ts'

const readBytes = 256 * 1024

/**
 * Runs SQL files one after another, each in a clean session.
 *
 * @returns the database that the last file ended in, which `\connect` may have changed.
 * @throws PgBranchError `PGB_STEP_FAILED` that names file, line, column and statement.
 */
export async function runSqlFiles(files: string[], run: StepRun): Promise<string> {
  const session = new Session(run)
  try {
    for (const file of files) await runFile(file, { session, run })
    return session.database
  } finally {
    await session.close()
  }
}

async function runFile(file: string, { session, run }: { session: Session; run: StepRun }): Promise<void> {
  const name = relative(run.baseDir, file)
  const totalBytes = (await stat(file)).size
  const splitter = new SqlSplitter()
  const counts = { statements: 0, rows: 0, bytes: 0 }
  const report = () => run.onProgress({ file: name, totalBytes, ...counts })
  await session.reset()
  let copy: CopyStreamQuery | undefined
  const execute = async (item: SqlItem) => {
    try {
      if (item.kind === 'copy') copy = (await session.getClient()).query(copyFrom(item.text))
      else if (item.kind === 'copyData') await writeRows(copy, item.text)
      else if (item.kind === 'copyEnd') counts.rows += await finishRows(copy)
      else if (item.kind === 'command') await session.runCommand(item.text)
      else counts.rows += await session.runStatement(item.text)
    } catch (error) {
      throw toStepError({ error, item, name })
    }
    if (item.kind === 'statement' || item.kind === 'copy') counts.statements += 1
  }
  for await (const lines of readLines(file)) {
    counts.bytes += Buffer.byteLength(lines)
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
  report()
}

const unfinished = {
  string: 'a string',
  escapeString: 'a string',
  identifier: 'a quoted name',
  dollar: 'a dollar-quoted string',
  blockComment: 'a comment',
  copy: 'the rows of a COPY (no `\\.`)',
}

/** Yields the file's text in pieces of whole lines, every byte as it is. */
async function* readLines(file: string): AsyncGenerator<string> {
  let rest = ''
  let isFirst = true
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: readBytes })) {
    const text: string = rest + (isFirst ? (chunk as string).replace(/^\uFEFF/, '') : (chunk as string))
    isFirst = false
    const end = text.lastIndexOf('\n') + 1
    rest = text.slice(end)
    if (end > 0) yield text.slice(0, end)
  }
  if (rest !== '') yield rest
}

async function writeRows(copy: CopyStreamQuery | undefined, rows: string): Promise<void> {
  if (copy === undefined) return
  // An error ends the stream; `finishRows` reports it.
  if (!copy.write(rows) && !copy.destroyed) await Promise.race([once(copy, 'drain'), once(copy, 'close')])
}

async function finishRows(copy: CopyStreamQuery | undefined): Promise<number> {
  if (copy === undefined) return 0
  await new Promise<void>((resolve, reject) => {
    copy.once('error', reject)
    copy.once('finish', resolve)
    copy.end()
  })
  return copy.rowCount ?? 0
}

/** The connection of a script, which psql commands and DROP DATABASE may move to another database. */
class Session {
  readonly #run: StepRun
  #client: Client | undefined
  #current: string
  database: string

  constructor(run: StepRun) {
    this.#run = run
    this.#current = run.target.database
    this.database = run.target.database
  }

  async getClient(): Promise<Client> {
    this.#client ??= await this.#run.connect({ ...this.#run.target, database: this.#current })
    return this.#client
  }

  /** Each file starts as psql would start it: in the step's database, nothing set. */
  async reset(): Promise<void> {
    if (this.#current !== this.database) await this.#moveTo(this.database)
    await (await this.getClient()).query('DISCARD ALL')
  }

  /** @returns rows affected. */
  async runStatement(text: string): Promise<number> {
    const { dropped, created } = parseDatabaseStatement(text)
    if (this.#run.target.shared && (dropped ?? created) !== undefined) throw createSharedError(text)
    // Postgres refuses to drop the database one is connected to; scripts expect to be in another.
    if (dropped !== undefined && dropped === this.#current) await this.#moveTo(this.#maintenanceDatabase())
    const result = (await (await this.getClient()).query(text)) as
      | { rowCount: number | null }
      | Array<{ rowCount: number | null }>
    if (created !== undefined) this.#run.log(`created database ${created}`)
    const results = Array.isArray(result) ? result : [result]
    return results.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)
  }

  async runCommand(text: string): Promise<void> {
    if (/^\\(un)?restrict\b/.test(text)) return
    const database = parseConnectCommand(text)
    if (this.#run.target.shared && database !== this.#current) throw createSharedError(text)
    await this.#moveTo(database)
    this.database = database
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => {})
    this.#client = undefined
  }

  #maintenanceDatabase(): string {
    return this.#current === 'postgres' ? 'template1' : 'postgres'
  }

  async #moveTo(database: string): Promise<void> {
    if (database === this.#current && this.#client !== undefined) return
    await this.close()
    this.#current = database
    await this.getClient()
  }
}

/** On a server of the user's a script may have any database in its hands: we would not know what it drops. */
function createSharedError(text: string): PgBranchError {
  return new PgBranchError(`\`${text.split('\n', 1)[0]}\` would leave the database being built`, {
    code: 'PGB_STEP_FAILED',
    hint: 'With `server`, a branch is one database, and a seed stays in it. Leave this out, or use the provider `embedded` or `system`, where a branch is a whole server.',
  })
}

interface PostgresErrorFields {
  message: string
  detail?: string
  hint?: string
  position?: string
  where?: string
}

function toStepError({ error, item, name }: { error: unknown; item: SqlItem; name: string }): PgBranchError {
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
