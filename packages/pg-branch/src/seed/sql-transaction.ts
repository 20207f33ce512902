import { PgBranchError } from '../lib/errors.ts'
import { stripLeadingComments } from '../sql/leading-comments.ts'
import { SqlSplitter, type SqlItem } from '../sql/split-sql.ts'
import type { ByteString } from '../sql/text-encoding.ts'
import type { SqlSession } from './sql-session.ts'

/** Tools that run each file in one transaction. `unlessImpossible`: but for files with what cannot be in one. */
export type FileTransaction = 'always' | 'unlessImpossible'

/** What cannot be in a transaction block (source: PostgreSQLParser of Flyway, and PreventInTransactionBlock of Postgres). */
const impossible =
  /^((CREATE|DROP)\s+(DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER\s+SYSTEM|(CREATE|DROP)(\s+UNIQUE)?\s+INDEX\s+CONCURRENTLY|REINDEX\b[\s\S]*\b(SCHEMA|DATABASE|SYSTEM|CONCURRENTLY)|VACUUM|DISCARD\s+ALL|ALTER\s+TABLE\b[\s\S]*\bDETACH\s+PARTITION\b[\s\S]*\bCONCURRENTLY)\b/i

async function hasImpossible(text: AsyncIterable<ByteString>, session: SqlSession): Promise<boolean> {
  const splitter = new SqlSplitter({
    clientEncoding: session.clientEncoding,
    standardConformingStrings: session.standardConformingStrings,
    variables: new Map(),
  })
  const isImpossible = ({ kind, text: statement }: SqlItem) =>
    kind === 'statement' && impossible.test(stripLeadingComments(statement))
  for await (const lines of text) {
    for (const item of splitter.push(lines)) if (isImpossible(item)) return true
  }
  return splitter.end().items.some(isImpossible)
}

/** The transaction of a file. */
export interface OpenTransaction {
  name: string
  isOpen: boolean
}

/** @param options.text gives the file's text, to see what is in it. */
export async function beginFile(
  session: SqlSession,
  { name, mode, text }: { name: string; mode: FileTransaction | undefined; text(): AsyncIterable<ByteString> },
): Promise<OpenTransaction> {
  if (mode === undefined || (mode === 'unlessImpossible' && (await hasImpossible(text(), session)))) {
    return { name, isOpen: false }
  }
  await session.runStatement('BEGIN')
  return { name, isOpen: true }
}

/**
 * Commits what `beginFile` has begun.
 *
 * @throws PgBranchError `PGB_STEP_FAILED` for a file that leaves a transaction open: psql would undo it without a word.
 */
export async function endFile(session: SqlSession, { name, isOpen }: OpenTransaction): Promise<void> {
  if (isOpen) {
    await session.runStatement('COMMIT')
    return
  }
  if (!session.isInTransaction) return
  throw new PgBranchError(`${name} ends inside a transaction that it began: nothing of that would stay`, {
    code: 'PGB_STEP_FAILED',
    hint: 'End it with COMMIT (or ROLLBACK).',
  })
}
