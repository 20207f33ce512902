import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DumpStep } from '../../config/types.ts'
import type { PlanningContext, StepContent, StepKind, StepRun } from '../contract.ts'
import { download, hideSecrets, isUrl } from '../download.ts'
import { detectDump } from '../dump-format.ts'
import { createDumpRules } from '../dump-rules.ts'
import { hashFiles } from '../hash-files.ts'
import { PgBranchError } from '../../lib/errors.ts'
import { hashValue } from '../../lib/hash.ts'
import { expandGlobs } from '../../lib/inputs.ts'
import { restoreArchive } from '../restore-archive.ts'
import { runSqlFiles, type SqlFilesResult } from '../run-sql.ts'

/** A dump, from a file, a directory or a URL. */
export const dumpKind: StepKind<DumpStep> = {
  name: 'dump',
  includes: (step): step is DumpStep => typeof step !== 'function' && step.kind === 'dump',
  listGlobs: ({ source }, baseDir) => {
    if (isUrl(source)) return []
    const path = resolve(baseDir, source)
    return existsSync(path) && statSync(path).isDirectory() ? [`${source}/**`] : [source]
  },
  readVariables: () => ({}),
  plan: (step, { context }) => planDump(step, context),
  run: ({ step, files }, { run }) => runDump(files[0] ?? '', { step, run }),
}

async function planDump({ source, owners }: DumpStep, context: PlanningContext): Promise<StepContent> {
  const { baseDir, downloadsDir } = context
  const isRemote = isUrl(source)
  const label = `dump ${isRemote ? hideSecrets(source) : source}`
  const fetched = isRemote ? await download(source, downloadsDir) : undefined
  if (fetched?.notice !== undefined) context.notices.push(fetched.notice)
  const file = fetched?.file ?? resolve(baseDir, source)
  if (!existsSync(file)) {
    throw new PgBranchError(`the step \`${label}\` names a file that is not there: ${file}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Paths are relative to the directory of the configuration file.',
    })
  }
  const files = statSync(file).isDirectory() ? await expandGlobs(['**'], file) : [file]
  const hashes = await hashFiles(files, baseDir)
  // Where a download is kept says nothing of it.
  const inputs = isRemote ? { [label]: Object.values(hashes).join() } : hashes
  const fingerprint = hashValue(['dump', owners, Object.entries(inputs)])
  return { files: [file], plan: { label, inputs, additions: [], journal: [], fingerprint } }
}

/**
 * Restores a dump, whatever its format.
 *
 * @returns the database that it ended in, which `\connect` may have changed.
 * @throws PgBranchError `PGB_STEP_FAILED`, also if `pg_restore` is needed and not there.
 */
async function runDump(path: string, { step, run }: { step: DumpStep; run: StepRun }): Promise<string> {
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
  const result = await runSqlFiles([path], run, { format, mustEnd: true, rules: createDumpRules(step) })
  return chooseDatabase(result, run.target.database)
}

/** Those that every server has. */
const common = new Set(['postgres', 'template1'])

/** A dump of a whole server ends in whichever database comes last: its only one is meant, or else the one it began in. */
function chooseDatabase({ database, visited, isCluster }: SqlFilesResult, first: string): string {
  if (!isCluster) return database
  const own = visited.filter((name) => !common.has(name))
  return own.length === 1 ? (own[0] ?? first) : first
}
