import { PgBranchError } from '../../lib/errors.ts'

/**
 * Reads `\connect` and `\c`, which dumps use to enter the database they have just made.
 *
 * @returns the database to connect to.
 * @throws PgBranchError for every other psql command, and for a `\connect` to another server or user.
 */
export function parseConnectCommand(text: string): string {
  const [, name, rest = ''] = /^(\\\S+)\s*(.*?);*\s*$/.exec(text) ?? []
  if (name !== '\\c' && name !== '\\connect') {
    throw new PgBranchError(`the psql command ${name ?? text} is not supported`, {
      code: 'PGB_STEP_FAILED',
      hint: "Only \\connect, \\c and \\restrict are followed. Write SQL instead, or run the file with psql: command('psql -f file.sql').",
    })
  }
  const target = rest.replace(/^-reuse-previous=\S+\s+/, '')
  const words = target.match(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\S+/g) ?? []
  const database = unquote(words[0] ?? '')
  const isElsewhere = words.slice(1).some((word) => word !== '-')
  const conninfo = /^dbname=(?:'([^']*)'|(\S+))$/.exec(database)
  if (conninfo !== null) return conninfo[1] ?? conninfo[2] ?? ''
  if (database === '' || database === '-' || isElsewhere || /=|:\/\//.test(database)) {
    throw new PgBranchError(`${text} would leave the database being built`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Only a change of database on the same server, as the same user, is followed: \\connect name.',
    })
  }
  return database
}

function unquote(word: string): string {
  if (word.startsWith('"')) return word.slice(1, -1).replaceAll('""', '"')
  if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'")
  return word
}

/** @returns the database that a statement drops or creates, if it is one of these. */
export function parseDatabaseStatement(text: string): { dropped?: string; created?: string } {
  const match = /^(drop|create)\s+database\s+(?:if\s+exists\s+)?("(?:[^"]|"")+"|[\w$]+)/i.exec(text)
  const [, verb = '', rawName = ''] = match ?? []
  if (match === null) return {}
  const name = rawName.startsWith('"') ? unquote(rawName) : rawName.toLowerCase()
  return verb.toLowerCase() === 'drop' ? { dropped: name } : { created: name }
}
