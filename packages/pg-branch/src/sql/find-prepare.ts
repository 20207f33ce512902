import { stripLeadingComments } from './leading-comments.ts'
import { SqlSplitter } from './split-sql.ts'

/**
 * Finds the PREPARE of one statement in the text that came with it: Postgres remembers the whole of a text, with all
 * that stands beside it.
 *
 * @param options.standardConformingStrings as the session has it.
 * @returns undefined if there is none, e.g. since a function has run it.
 */
export function findPrepare(
  text: string,
  name: string,
  { standardConformingStrings = true }: { standardConformingStrings?: boolean } = {},
): string | undefined {
  // Texts of the protocol are characters, and not bytes.
  const splitter = new SqlSplitter({ standardConformingStrings, clientEncoding: 'UTF8', variables: new Map() })
  const statements = [...splitter.push(text), ...splitter.end().items].filter(({ kind }) => kind === 'statement')
  const found = statements.findLast((statement) => readPreparedName(statement.text) === name)
  return found?.text.replace(/;\s*$/, '')
}

function readPreparedName(statement: string): string | undefined {
  const [keyword] = /^PREPARE\b/i.exec(stripLeadingComments(statement)) ?? []
  if (keyword === undefined) return undefined
  const rest = stripLeadingComments(stripLeadingComments(statement).slice(keyword.length))
  const [, quoted, plain] = /^(?:"((?:[^"]|"")+)"|([^\s("/-]+))/.exec(rest) ?? []
  const name = quoted?.replaceAll('""', '"') ?? plain?.toLowerCase()
  return name === undefined ? undefined : truncateName(name)
}

/** As Postgres does with every name (NAMEDATALEN), at the border of a character. */
function truncateName(name: string): string {
  const bytes = Buffer.from(name)
  return bytes.length < 64 ? name : new TextDecoder().decode(bytes.subarray(0, 63)).replace(/\uFFFD+$/, '')
}
