import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { DumpStep } from '../config/types.ts'
import { PgBranchError } from '../lib/errors.ts'
import { knownPlaces, listDirsWith } from '../postgres/known-places.ts'
import type { StepRun } from './contract.ts'
import { createBuildVariables } from './variables.ts'

const shownLines = 25

interface Tool {
  file: string
  /** Major version. */
  version: number
}

/**
 * Runs `pg_restore` on an archive. Of several on this machine, the one of the server's version is tried
 * first, then newer ones, which read the archives of newer servers.
 *
 * @throws PgBranchError `PGB_STEP_FAILED` with what it said, or how to get it.
 */
export async function restoreArchive(
  path: string,
  { step, run, isParallel }: { step: DumpStep; run: StepRun; isParallel: boolean },
): Promise<void> {
  const serverVersion = await readServerVersion(run)
  const tools = await findTools(serverVersion)
  if (tools.length === 0) throw createNoToolError(serverVersion)
  let output: string[] = []
  for (const tool of tools) {
    const result = await runTool(tool, { path, step, run, isParallel })
    if (!result.failed) return
    output = result.all.trimEnd().split('\n').slice(-shownLines)
    if (!/unsupported version \([\d.]+\) in file header/.test(result.all)) break
  }
  const isTooNew = output.some((line) => line.includes('unsupported version'))
  throw new PgBranchError(`pg_restore failed on ${step.source}:\n${output.map((line) => `  | ${line}`).join('\n')}`, {
    code: 'PGB_STEP_FAILED',
    hint: isTooNew
      ? `The dump is newer than every pg_restore here (${tools.map(({ version }) => version).join(', ')}). ${howToGet('<newer version>')}`
      : 'The lines above are from pg_restore. Extensions and roles that the dump uses must be there before it.',
  })
}

function runTool(
  tool: Tool,
  { path, step, run, isParallel }: { path: string; step: DumpStep; run: StepRun; isParallel: boolean },
): Promise<{ failed: boolean; all: string }> {
  const jobs = isParallel ? (step.jobs ?? Math.min(4, availableParallelism())) : 1
  const args = ['--exit-on-error', '--verbose', '--no-password', `--dbname=${run.target.database}`, `--jobs=${jobs}`]
  if (!step.owners) args.push('--no-owner', '--no-privileges')
  // The password is in a variable, not among the arguments, which every user can see.
  return execa(tool.file, [...args, path], {
    cwd: run.baseDir,
    env: createBuildVariables(run),
    stdin: 'ignore',
    all: true,
    reject: false,
    lines: false,
    stderr: function* (line: unknown) {
      const text = String(line)
      run.onProgress({ message: text.replace(/^pg_restore: /, '') })
      // Thousands of lines that say what went well are of no use in an error.
      if (
        !/^pg_restore: (creating|processing|executing|launching|finished|entering|connecting|implied|while)/.test(text)
      )
        yield line
    },
  })
}

async function readServerVersion(run: StepRun): Promise<number> {
  const client = await run.connect(run.target)
  try {
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS version",
    )
    return rows[0]?.version ?? 0
  } finally {
    await client.end()
  }
}

/** @returns those on this machine, the best for a server of this version first. */
async function findTools(serverVersion: number): Promise<Tool[]> {
  const tools: Tool[] = []
  for (const dir of listDirsWith('pg_restore')) {
    const file = join(dir, 'pg_restore')
    const { stdout } = await execa(file, ['--version'], { reject: false })
    const version = Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
    if (version > 0) tools.push({ file, version })
  }
  const rank = ({ version }: Tool) =>
    version >= serverVersion ? version - serverVersion : 100 + serverVersion - version
  return tools.sort((a, b) => rank(a) - rank(b))
}

function createNoToolError(version: number): PgBranchError {
  return new PgBranchError('this dump is an archive, and there is no pg_restore on this machine', {
    code: 'PGB_STEP_FAILED',
    hint: [
      howToGet(String(version)),
      `It is looked for in PATH and in ${knownPlaces.join(', ')}.`,
      'Or make a dump as text, which needs no tool: pg_dump --format=plain | gzip > dump.sql.gz',
    ].join('\n'),
  })
}

function howToGet(version: string): string {
  return [
    `Debian and Ubuntu: apt install postgresql-client-${version}; Homebrew: brew install libpq;`,
    `with Docker, turn the dump into text: docker run --rm -i postgres:${version} pg_restore -f - < dump > dump.sql`,
  ].join(' ')
}
