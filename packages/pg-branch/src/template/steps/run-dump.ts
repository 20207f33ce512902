import type { DumpStep } from '../../config/types.ts'
import { PgBranchError } from '../../lib/errors.ts'
import type { StepRun } from './contract.ts'
import { detectDump } from './dump-format.ts'
import { restoreArchive } from './restore-archive.ts'
import { runSqlFiles } from './run-sql.ts'
import type { SqlItem } from './split-sql.ts'

/**
 * Restores a dump, whatever its format.
 *
 * @returns the database that it ended in, which `\connect` may have changed.
 * @throws PgBranchError `PGB_STEP_FAILED`, also if `pg_restore` is needed and not there.
 */
export async function runDump(path: string, { step, run }: { step: DumpStep; run: StepRun }): Promise<string> {
  const detected = await detectDump(path)
  if (detected === undefined) {
    throw new PgBranchError(`the directory ${path} is no dump: it has no toc.dat`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Directories are those that `pg_dump --format=directory` writes.',
    })
  }
  const { format, isParallel } = detected
  if (format === 'archive') {
    await restoreArchive(path, { step, run, isParallel })
    return run.target.database
  }
  const left = new Set<string>()
  const database = await runSqlFiles([path], run, {
    format,
    mustEnd: true,
    isSkipped({ kind, text }) {
      const isSkipped = kind === 'statement' && !step.owners && namesOwner(text.trimStart())
      if (isSkipped) left.add('owners and privileges')
      return isSkipped
    },
    isHarmless(error, item) {
      const setting = findUnknownSetting(error, item)
      if (setting !== undefined) left.add(`the setting ${setting}`)
      return setting !== undefined
    },
  })
  if (left.size > 0) run.log(`left out: ${[...left].join(', ')}`)
  return database
}

/** What `pg_restore --no-owner --no-privileges` leaves out of an archive; membership in roles is none of it. */
function namesOwner(text: string): boolean {
  return (
    /^ALTER\s[\s\S]*\sOWNER\s+TO\s+\S+\s*;?\s*$/i.test(text) ||
    /^ALTER\s+DEFAULT\s+PRIVILEGES\b/i.test(text) ||
    /^(GRANT|REVOKE)\b[\s\S]*\sON\s/i.test(text)
  )
}

/** @returns the name of a setting that only a newer pg_dump knows. */
function findUnknownSetting(error: unknown, { kind, text }: SqlItem): string | undefined {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (code !== '42704' || kind !== 'statement' || !/^SET\b/i.test(text.trimStart())) return undefined
  return /^unrecognized configuration parameter "(.+)"/.exec(message)?.[1]
}
