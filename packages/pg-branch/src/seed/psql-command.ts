import { PgBranchError } from '../lib/errors.ts'
import { stripLeadingComments } from '../sql/leading-comments.ts'
import { parsePsqlWords } from '../sql/psql-words.ts'
import type { ByteString } from '../sql/text-encoding.ts'

/** A psql command with its words, in which single quotes and variables are resolved. */
export interface PsqlCommand {
  name: string
  words: string[]
}

/** Those that only say how psql prints. */
const printing = new Set(
  '\\echo \\qecho \\warn \\timing \\pset \\x \\t \\a \\f \\H \\C \\T \\restrict \\unrestrict'.split(' '),
)

export function isPrinting({ name }: PsqlCommand): boolean {
  return printing.has(name)
}

/**
 * @param variables which are replaced in its arguments.
 * @throws PgBranchError `PGB_STEP_FAILED` for one that has psql run a program.
 */
export function parsePsqlCommand(text: ByteString, variables: ReadonlyMap<string, string> = new Map()): PsqlCommand {
  const [, name = text, rest = ''] = /^(\\[^\s]*)([\s\S]*)$/.exec(text) ?? []
  const words = parsePsqlWords(rest.replace(/;+\s*$/, ''), variables)
  const command = { name: name.replace(/;+$/, ''), words: words.map((word) => word.text) }
  if (!isPrinting(command) && words.some(({ runsShell }) => runsShell)) {
    throw createUnsupportedError({ ...command, name: `${command.name} with a program in backquotes` })
  }
  return command
}

/** A name as \\connect takes it: double quotes are taken away, letters stay as they are. */
function unquoteName(word: string): string {
  return word.replaceAll(/"((?:[^"]|"")*)"/g, (_, inner: string) => inner.replaceAll('""', '"'))
}

/** @returns an error that names the command and what can be done instead. */
export function createUnsupportedError({ name }: PsqlCommand): PgBranchError {
  return new PgBranchError(`the psql command ${name} is not supported`, {
    code: 'PGB_STEP_FAILED',
    hint: "Followed are \\connect, \\encoding, \\set, \\unset and \\q; those that only print are left out. Write SQL instead, or run the file with psql: command('psql -v ON_ERROR_STOP=1 -f file.sql').",
  })
}

/**
 * Reads `\connect` and `\c`, which dumps use to enter the database they have just made.
 *
 * @returns the database to connect to.
 * @throws PgBranchError for a `\connect` to another server or user.
 */
export function getConnectDatabase({ name, words }: PsqlCommand): string {
  const [written = '', ...others] = words.filter((word) => !word.startsWith('-reuse-previous='))
  const database = unquoteName(written)
  const isElsewhere = others.some((word) => word !== '-')
  const conninfo = /^dbname=(?:'((?:[^'\\]|\\.)*)'|([\s\S]+))$/.exec(database)
  if (conninfo !== null && !isElsewhere) return conninfo[1]?.replaceAll(/\\(.)/g, '$1') ?? conninfo[2] ?? ''
  if (database === '' || database === '-' || isElsewhere || /=|:\/\//.test(database)) {
    throw new PgBranchError(`${[name, ...words].join(' ')} would leave the database being built`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Only a change of database on the same server, as the same user, is followed: \\connect name.',
    })
  }
  return database
}

/** @returns the database that a statement drops or creates, if it is one of these. */
export function parseDatabaseStatement(text: string): { dropped?: string; created?: string } {
  const match = /^(drop|create)\s+database\s+(?:if\s+exists\s+)?("(?:[^"]|"")+"|[^\s";]+)/i.exec(
    stripLeadingComments(text),
  )
  const [, verb = '', rawName = ''] = match ?? []
  if (match === null) return {}
  const name = rawName.startsWith('"') ? unquoteName(rawName) : rawName.toLowerCase()
  return verb.toLowerCase() === 'drop' ? { dropped: name } : { created: name }
}
