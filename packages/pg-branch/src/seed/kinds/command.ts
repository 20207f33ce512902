import { relative } from 'node:path'
import { execa } from 'execa'
import type { CommandStep } from '../../config/types.ts'
import type { PlanningContext, StepContent, StepKind, StepRun } from '../contract.ts'
import { hashFiles } from '../hash-files.ts'
import { PgBranchError } from '../../lib/errors.ts'
import { hashValue } from '../../lib/hash.ts'
import { expandGlobs } from '../../lib/inputs.ts'
import { getShownLine } from '../../lib/shown-line.ts'
import { createBuildVariables } from '../variables.ts'

/** Lines of the command's own output that an error shows. */
const shownLines = 25

/** A command line, such as a migration tool's. */
export const commandKind: StepKind<CommandStep> = {
  name: 'command',
  includes: (step): step is CommandStep => typeof step !== 'function' && step.kind === 'command',
  listGlobs,
  readVariables,
  plan: (step, { context }) => planCommand(step, context),
  async run({ step, plan }, { run }) {
    // Which migrations are new, the command knows by itself.
    await runCommand(step, { run, mustFill: plan.additions.length > 0 })
    return run.target.database
  },
}

function listGlobs({ inputs, migrations, journal }: CommandStep): string[] {
  return [...inputs, ...migrations, ...journal]
}

async function planCommand(step: CommandStep, context: PlanningContext): Promise<StepContent> {
  const { baseDir } = context
  const globs = listGlobs(step)
  const migrations = await expandGlobs(step.migrations, baseDir)
  const journal = await expandGlobs(step.journal, baseDir)
  const files = new Set([...(await expandGlobs(step.inputs, baseDir)), ...migrations, ...journal])
  if (files.size === 0 && globs.length > 0) {
    throw new PgBranchError(`the inputs ${globs.join(', ')} of \`${step.line}\` match no file in ${baseDir}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Globs are relative to the directory of the configuration file. A command without `inputs` runs once and is then cached.',
    })
  }
  const env = Object.fromEntries(Object.entries(step.env).map(([name, value]) => [`env.${name}`, hashValue(value)]))
  const reads = Object.entries(readVariables(step)).map(([name, value]) => [`env.${name}`, hashValue(value)])
  const inputs = { ...(await hashFiles([...files], baseDir)), ...Object.fromEntries(reads), ...env }
  return {
    files: [],
    plan: {
      label: `command ${step.line}`,
      inputs,
      additions: migrations.map((file) => relative(baseDir, file)),
      journal: journal.map((file) => relative(baseDir, file)),
      fingerprint: hashValue(['command', step.line, Object.entries(inputs)]),
    },
  }
}

function readVariables({ reads }: CommandStep): Record<string, string | null> {
  return Object.fromEntries(['NODE_ENV', ...reads].map((name) => [name, process.env[name] ?? null]))
}

/**
 * Runs a shell command against the database being built.
 *
 * @param mustFill whether it has migrations to run, so that something must be there afterwards.
 * @throws PgBranchError `PGB_STEP_FAILED` with the end of the command's output.
 */
async function runCommand(step: CommandStep, { run, mustFill }: { run: StepRun; mustFill: boolean }): Promise<void> {
  const result = await execa(step.line, {
    shell: true,
    cwd: run.baseDir,
    preferLocal: true,
    localDir: run.baseDir,
    env: { ...step.env, ...createBuildVariables(run) },
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
  const text = `the command \`${step.line}\`, in ${run.baseDir}, ${how}:\n${output.map((line) => `  | ${line}`).join('\n')}`
  throw new PgBranchError(text, {
    code: 'PGB_STEP_FAILED',
    hint: findHint(result.all),
    cause: result,
  })
}

function findHint(output: string): string | undefined {
  if (output.includes('binaries.prisma.sh')) {
    return "Prisma could not download its engine. Let this machine reach binaries.prisma.sh, or have Prisma 6.19 run migrations without it: `engine: 'js'` with an adapter in prisma.config.ts (see examples/vitest-prisma). Or run their SQL as it is: seed: sql('prisma/migrations/*/migration.sql')."
  }
  return unreachable.test(output)
    ? 'It did not get to the database being built, to which DATABASE_URL and PG* lead: is another address written into its configuration?'
    : undefined
}

/** What tools say that have looked elsewhere for a server. */
const unreachable =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|Connection refused|could not translate host name|password authentication failed|P1001|P1000/

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
