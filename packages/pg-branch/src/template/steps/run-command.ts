import { execa } from 'execa'
import type { CommandStep } from '../../config/types.ts'
import { PgBranchError } from '../../lib/errors.ts'
import { createBuildVariables } from './variables.ts'
import type { StepRun } from './contract.ts'

/** Lines of the command's own output that an error shows. */
const shownLines = 25

/**
 * Runs a shell command against the database being built.
 *
 * @throws PgBranchError `PGB_STEP_FAILED` with the end of the command's output.
 */
export async function runCommand(step: CommandStep, run: StepRun): Promise<void> {
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
      run.onProgress({ message: String(line) })
      yield line
    },
  })
  if (!result.failed) return
  const output = result.all.trimEnd().split('\n').slice(-shownLines)
  const how =
    result.exitCode === undefined ? `was ended by ${result.signal ?? 'an error'}` : `exited with ${result.exitCode}`
  throw new PgBranchError(`the command \`${step.line}\` ${how}:\n${output.map((line) => `  | ${line}`).join('\n')}`, {
    code: 'PGB_STEP_FAILED',
    hint: `It ran in ${run.baseDir} with DATABASE_URL and PG* pointing at the database being built.`,
    cause: result,
  })
}
