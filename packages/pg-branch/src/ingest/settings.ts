import type { PostgresVersion } from '../postgres/contract.ts'

/**
 * Settings of a server whose WAL nobody can read: nothing reads it, and nothing survives a crash.
 * `restart_after_crash` is off because Postgres would else recover from what is not there.
 */
export function createIngestSettings(version: PostgresVersion): Record<string, string> {
  return {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_prepared_transactions: '0',
    archive_mode: 'off',
    wal_init_zero: 'off',
    wal_recycle: 'off',
    wal_keep_size: '0',
    max_wal_size: '1TB',
    checkpoint_timeout: '1d',
    restart_after_crash: 'off',
    ...(version >= 17 ? { summarize_wal: 'off' } : {}),
  }
}

/** Settings of the user's that need WAL to be read, with the value that does not. */
const needsWal: Array<{ name: string; harmless: RegExp; why: string }> = [
  { name: 'wal_level', harmless: /^minimal$/i, why: 'logical slots and replicas read the WAL' },
  { name: 'max_prepared_transactions', harmless: /^0+$/, why: 'prepared transactions are read back from the WAL' },
  { name: 'archive_mode', harmless: /^off$/i, why: 'the archiver reads the WAL' },
  { name: 'summarize_wal', harmless: /^off$/i, why: 'the summarizer reads the WAL' },
]

/** @returns why a build with these settings cannot do without WAL, or undefined. */
export function explainNoFastIngest(settings: Record<string, string>): string | undefined {
  const found = needsWal.find(({ name, harmless }) => {
    const value = settings[name]
    return value !== undefined && !harmless.test(value)
  })
  return found === undefined ? undefined : `\`${found.name} = ${settings[found.name]}\`: ${found.why}`
}
