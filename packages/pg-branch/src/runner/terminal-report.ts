import type { WriteStream } from 'node:tty'
import type { ProgressReport } from '../protocol/protocol.ts'
import { describeBuild, describeProgress } from './progress-text.ts'

/**
 * Shows a build on a terminal that is ours alone: the step that runs is one line, written over and over,
 * and stays when it has ended.
 */
export function createTerminalReporter(stream: WriteStream): {
  showProgress(report: ProgressReport): void
  end(): void
} {
  let phase = ''
  let startedAt = 0
  const end = () => {
    if (phase !== '') stream.write('\n')
    phase = ''
  }
  return {
    end,
    showProgress(report) {
      if (report.done !== undefined) {
        end()
        stream.write(`${describeBuild(report.done)}\n`)
        return
      }
      const now = performance.now()
      if (report.phase !== phase) {
        end()
        phase = report.phase
        startedAt = now
      }
      // A line that wraps could not be written over.
      const text = describeProgress(report, now - startedAt).slice(0, Math.max(20, stream.columns - 1))
      stream.write(`\r\u001B[2K${text}`)
    },
  }
}
