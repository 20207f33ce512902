import { formatDuration } from '../lib/format.ts'
import type { ProgressReport } from '../protocol/protocol.ts'
import { describeBuild, describeProgress } from './progress-text.ts'

export interface Reporter {
  showProgress(report: ProgressReport): void
  showNotices(notices: string[]): void
  showKept(psqlLine: string, details: { reason: string | undefined; keptForMs: number }): void
}

const progressIntervalMs = 1_000

/**
 * Writes to stderr, which the test runners pass on as it is. On a terminal a build is told line by line as
 * it goes, in CI or a pipe with one line for each finished step.
 */
export function createReporter({ isTerminal }: { isTerminal: boolean }): Reporter {
  let shownAt = 0
  let current: { report: ProgressReport; startedAt: number } | undefined
  const write = (line: string) => process.stderr.write(`pg-branch: ${line}\n`)
  const finishStep = () => {
    if (current === undefined) return
    const { report, startedAt } = current
    write(describeProgress(report, performance.now() - startedAt))
    current = undefined
  }
  return {
    showProgress(report) {
      if (!report.speak) return
      if (report.done !== undefined) {
        // Where a build has one step, its last line says all.
        if (!isTerminal && report.done.steps > 1) finishStep()
        current = undefined
        write(describeBuild(report.done))
        return
      }
      const now = performance.now()
      const isNew = report.phase !== current?.report.phase
      if (isNew && !isTerminal) finishStep()
      current =
        isNew || current === undefined
          ? { report, startedAt: now }
          : { report: { ...current.report, ...report }, startedAt: current.startedAt }
      if (!isTerminal || (!isNew && now - shownAt < progressIntervalMs)) return
      shownAt = now
      write(describeProgress(report, now - current.startedAt))
    },
    showNotices(notices) {
      for (const notice of notices) write(notice)
    },
    showKept(psqlLine, { reason, keptForMs }) {
      write(`${reason ?? 'failed'}: its branch is kept for ${formatDuration(keptForMs)}:\n  ${psqlLine}`)
    },
  }
}
