import { PgBranchError } from '../lib/errors.ts'
import { connectSupervisor, type Connection } from '../client/connect.ts'
import type { BranchRef } from '../protocol/named-protocol.ts'
import type { ProgressReport, ProjectRequest } from '../protocol/protocol.ts'
import { createReporter } from '../runner/report.ts'
import { createTerminalReporter } from '../runner/terminal-report.ts'
import { withSentinel, withholdUrls } from '../url/sentinel.ts'

/** The option of all commands that are about a project. */
export const configArgument = {
  config: { type: 'string', description: 'Configuration file. Default: the nearest one upwards', valueHint: 'file' },
} as const

export const jsonArgument = {
  json: { type: 'boolean', description: 'Print the result as JSON', default: false },
} as const

/** Runs `action` with a connection to the supervisor, which is started if there is none. */
export async function callSupervisor<T>(
  action: (call: Connection['call']) => Promise<T>,
  options: { start?: boolean; onProgress?: (report: ProgressReport) => void } = {},
): Promise<T> {
  const connection = await connectSupervisor(options)
  try {
    return await action(connection.call)
  } finally {
    connection.close()
  }
}

/** As `callSupervisor`, without starting one for it. @returns undefined if there is none. */
export async function callRunning<T>(action: (call: Connection['call']) => Promise<T>): Promise<T | undefined> {
  try {
    return await callSupervisor(action, { start: false })
  } catch (error) {
    if (error instanceof PgBranchError && error.code === 'PGB_SUPERVISOR_GONE') return undefined
    throw error
  }
}

/** As `callRunning`, for a branch, of which there is none without a supervisor. @throws PgBranchError `PGB_BRANCH_UNKNOWN`. */
export async function callForBranch<T>(
  ref: BranchRef,
  action: (call: Connection['call'], ref: BranchRef) => Promise<T>,
): Promise<T> {
  const answer = await callRunning(async (call) => ({ result: await action(call, ref) }))
  if (answer !== undefined) return answer.result
  throw new PgBranchError(`there is no branch ${JSON.stringify(ref.name)}: nothing is running`, {
    code: 'PGB_BRANCH_UNKNOWN',
    hint: `Make it with: pg-branch branch create ${ref.name}`,
  })
}

/** As `callSupervisor`, for what may build a template: how that goes is told on stderr. */
export async function callWithProgress<T>(action: (call: Connection['call']) => Promise<T>): Promise<T> {
  const isTerminal = process.stderr.isTTY && (process.env.CI ?? '') === ''
  const reporter: BuildReporter = isTerminal
    ? createTerminalReporter(process.stderr)
    : createReporter({ isTerminal: false })
  const result = await callSupervisor(action, { onProgress: (report) => reporter.showProgress(report) })
  reporter.end?.()
  return result
}

export interface BuildReporter {
  showProgress(report: ProgressReport): void
  end?(): void
}

/** @returns the branch of that name of the project in the working directory. */
export function createBranchRef({ name, config }: { name: string; config?: string | undefined }): BranchRef {
  return { rootDir: process.cwd(), config, name }
}

/** @returns what the supervisor must know of the project in the working directory. */
export function createProjectRequest(config: string | undefined): ProjectRequest {
  const withheld = withholdUrls(process.env)
  return {
    rootDir: process.cwd(),
    options: config === undefined ? {} : { config },
    env: withSentinel(process.env),
    withheld,
    runId: `pid ${process.pid}`,
  }
}
