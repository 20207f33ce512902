import { formatBytes, formatDuration } from '../lib/format.ts'
import type { ProgressReport } from '../supervisor/protocol.ts'

export interface Reporter {
  showProgress(report: ProgressReport): void
  showNotices(notices: string[]): void
  showKept(psqlLine: string, details: { reason: string | undefined; keptForMs: number }): void
}

const progressIntervalMs = 1_000

/**
 * Writes to stderr, which the test runners pass on as it is. How a build is going is told line by line
 * on a terminal, and only at its end in CI or a pipe.
 */
export function createReporter({ isTerminal }: { isTerminal: boolean }): Reporter {
  let shownAt = 0
  let shownPhase = ''
  const write = (line: string) => process.stderr.write(`pg-branch: ${line}\n`)
  return {
    showProgress(report) {
      if (!report.speak) return
      const { done } = report
      if (done !== undefined) {
        const reused = done.steps - done.stepsRun
        const files = done.filesReused === 0 ? '' : `, ${countOf(done.filesReused, 'file')} of the next from the cache`
        const steps = `${countOf(done.steps, 'step')}${reused === 0 ? '' : `, ${reused} from the cache`}${files}`
        write(`template built in ${formatDuration(done.buildMs)}, ${steps} (${done.why})`)
        return
      }
      const now = performance.now()
      if (!isTerminal || (report.phase === shownPhase && now - shownAt < progressIntervalMs)) return
      shownAt = now
      shownPhase = report.phase
      write(describeProgress(report))
    },
    showNotices(notices) {
      for (const notice of notices) write(notice)
    },
    showKept(psqlLine, { reason, keptForMs }) {
      write(`${reason ?? 'failed'}: its branch is kept for ${formatDuration(keptForMs)}:\n  ${psqlLine}`)
    },
  }
}

function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}

function describeProgress(report: Omit<ProgressReport, 'speak'>): string {
  const { phase, elapsedMs, file, bytes, totalBytes, statements, rows, message } = report
  const size =
    bytes === undefined || totalBytes === undefined ? undefined : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
  const parts = [
    phase,
    file,
    size,
    statements === undefined ? undefined : `${statements} statements`,
    rows === undefined || rows === 0 ? undefined : `${rows} rows`,
    message,
    formatDuration(elapsedMs),
  ]
  return parts.filter((part) => part !== undefined).join(' · ')
}
