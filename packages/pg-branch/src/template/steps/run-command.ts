import { execa } from 'execa'
import type { CommandStep } from '../../config/types.ts'
import { PgBranchError } from '../../lib/errors.ts'
import { getShownLine } from '../../lib/shown-line.ts'
import { createBuildVariables } from './variables.ts'
import type { StepRun } from './contract.ts'

/** Lines of the command's own output that an error shows. */
const shownLines = 25

/**
 * Runs a shell command against the database being built.
 *
 * @param mustFill whether it has migrations to run, so that something must be there afterwards.
 * @throws PgBranchError `PGB_STEP_FAILED` with the end of the command's output.
 */
export async function runCommand(
  step: CommandStep,
  { run, mustFill }: { run: StepRun; mustFill: boolean },
): Promise<void> {
  const result = await execa(step.line, {
    shell: true,
    cwd: run.baseDir,
    preferLocal: true,
    localDir: run.baseDir,
    env: { ...step.env, ...createBuildVariables(run.target) },
    stdin: 'ignore',
    all: true,
    reject: false,
    lines: false,
    stdout: function* (line: unknown) {
      run.onProgress({ message: getShownLine(String(line)) })
      yield line
    },
  })
  if (!result.failed) {
    if (mustFill) await refuseEmpty(step, run)
    return
  }
  const output = result.all.trimEnd().split('\n').map(getShownLine).slice(-shownLines)
  const how =
    result.exitCode === undefined ? `was ended by ${result.signal ?? 'an error'}` : `exited with ${result.exitCode}`
  throw new PgBranchError(`the command \`${step.line}\` ${how}:\n${output.map((line) => `  | ${line}`).join('\n')}`, {
    code: 'PGB_STEP_FAILED',
    hint: `It ran in ${run.baseDir} with DATABASE_URL and PG* pointing at the database being built; an address written into its configuration is not that one.`,
    cause: result,
  })
}

/** Migrations that went elsewhere have most likely met a database that they were not meant for: never silently. */
async function refuseEmpty({ line }: CommandStep, run: StepRun): Promise<void> {
  const client = await run.connect(run.target)
  try {
    const { rowCount } = await client.query(
      `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' LIMIT 1`,
    )
    if (rowCount !== 0) return
  } finally {
    await client.end()
  }
  throw new PgBranchError(`the command \`${line}\` ended well, but the database being built is still empty`, {
    code: 'PGB_STEP_FAILED',
    hint: 'Its configuration must take the address from DATABASE_URL (or PG*). If another is written there, the migrations have just run on that one: see whether that did harm.',
  })
}
