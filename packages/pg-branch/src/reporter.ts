import { appendFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError, describeError } from './lib/errors.ts'
import { describeRun, describeRunAsMarkdown, listAnnotations } from './runner/run-report.ts'
import { connectSupervisor } from './client/connect.ts'
import type { RunReport } from './protocol/protocol.ts'

/**
 * Says what a test run did: to `print`, and in GitHub Actions also as annotations and in the job's summary.
 *
 * @param options.runId names the run: the pid of the runner's main process.
 */
export async function reportRun({ runId, print }: { runId: string; print(text: string): void }): Promise<void> {
  const reports = await takeRun(runId)
  if (reports.length === 0) return
  print(`\n${describeRun(reports)}\n`)
  if (process.env.GITHUB_ACTIONS !== 'true') return
  for (const line of listAnnotations(reports)) print(line)
  const { GITHUB_STEP_SUMMARY: file } = process.env
  if (file === undefined || file === '') return
  await appendFile(file, `${describeRunAsMarkdown(reports)}\n`).catch((error: unknown) =>
    print(`pg-branch: no job summary: ${describeError(error)}`),
  )
}

const answerTimeoutMs = 5_000

/** A supervisor that is gone has nothing to tell, and a report fails no run. */
async function takeRun(runId: string): Promise<RunReport[]> {
  try {
    const connection = await connectSupervisor({ start: false })
    try {
      return await Promise.race([connection.call.takeRun({ runId }), sleep(answerTimeoutMs, [], { ref: false })])
    } finally {
      connection.close()
    }
  } catch (error) {
    if (error instanceof PgBranchError) return []
    throw error
  }
}
