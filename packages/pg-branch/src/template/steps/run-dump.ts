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
  const isHarmless = (error: unknown, item: SqlItem) => {
    const missing = findMissingName(error, { item, owners: step.owners })
    if (missing !== undefined) left.add(missing)
    return missing !== undefined
  }
  const database = await runSqlFiles([path], run, { format, isHarmless })
  if (left.size > 0) run.log(`left out what names ${[...left].join(', ')}`)
  return database
}

/**
 * @returns what an error is about if the statement may be left out: who owns or may use something, of a
 * role that exists only where the dump was made; a setting that only a newer pg_dump knows.
 */
function findMissingName(error: unknown, { item, owners }: { item: SqlItem; owners: boolean }): string | undefined {
  const { code, message } = error as { code?: string; message?: string }
  if (code !== '42704' || item.kind !== 'statement') return undefined
  const [, role] = /^role "(.+)" does not exist/.exec(message ?? '') ?? []
  if (role !== undefined && !owners && /^(ALTER|GRANT|REVOKE)\b/i.test(item.text.trimStart())) return `the role ${role}`
  const [, setting] = /^unrecognized configuration parameter "(.+)"/.exec(message ?? '') ?? []
  return setting !== undefined && /^SET\b/i.test(item.text.trimStart()) ? `the setting ${setting}` : undefined
}
