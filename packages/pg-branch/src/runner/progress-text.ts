import { formatBytes, formatDuration } from '../lib/format.ts'
import type { ProgressReport } from '../protocol/protocol.ts'

export type BuildDone = NonNullable<ProgressReport['done']>

const barCells = 20

/**
 * @param stepMs since the step began: for its rate, and the time that it has left.
 * @returns how a build is going, as one line.
 */
export function describeProgress(report: Omit<ProgressReport, 'speak'>, stepMs: number): string {
  const { phase, file, bytes, totalBytes, statements, rows, message } = report
  const parts = [
    phase,
    file,
    bytes === undefined || totalBytes === undefined ? undefined : describeBytes({ bytes, totalBytes, stepMs }),
    statements === undefined ? undefined : countOf(statements, 'statement'),
    rows === undefined || rows === 0 ? undefined : countOf(rows, 'row'),
    message,
    formatDuration(stepMs),
  ]
  return parts.filter((part) => part !== undefined && part !== '').join(' · ')
}

function describeBytes(done: { bytes: number; totalBytes: number; stepMs: number }): string {
  const { bytes, totalBytes, stepMs } = done
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes)
  const bar = '█'.repeat(Math.round(share * barCells)).padEnd(barCells, '░')
  const size = `${bar} ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
  // A rate of the first moments says nothing.
  if (stepMs < 1_000 || bytes === 0) return size
  const rate = `${formatBytes((bytes / stepMs) * 1000)}/s`
  return share === 1 ? `${size}, ${rate}` : `${size}, ${rate}, ${formatDuration((stepMs * (1 - share)) / share)} left`
}

/** @returns what a finished build did, and why. */
export function describeBuild({ buildMs, steps, stepsRun, filesReused, byFastIngest, why }: BuildDone): string {
  const reused = steps - stepsRun
  const files = filesReused === 0 ? '' : `, ${countOf(filesReused, 'file')} of step ${reused + 1} from the cache`
  const cached = reused === 0 ? '' : `, ${reused} from the cache`
  const how = byFastIngest ? ' by fast ingest' : ''
  return `template built${how} in ${formatDuration(buildMs)}, ${countOf(steps, 'step')}${cached}${files} (${why})`
}

function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
