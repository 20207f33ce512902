import { formatDuration } from '../lib/format.ts'
import type { RunReport } from '../protocol/protocol.ts'

/** @returns the value below which `share` of the values are, e.g. `0.2 ms`. */
function describePercentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return value < 100 ? `${value.toFixed(1)} ms` : formatDuration(value)
}

function describeTemplate({ template, built, buildMs, fetchedFrom }: RunReport): string {
  const key = template.slice(0, 8)
  if (fetchedFrom !== undefined) return `${key}, fetched from ${fetchedFrom} in ${formatDuration(buildMs)}`
  return built === undefined ? `${key}, from the cache` : `${key}, built in ${formatDuration(buildMs)}: ${built}`
}

/** @returns what there is to say of a run, by name. */
export function listFacts(report: RunReport): Array<[name: string, text: string]> {
  const { leaseMs, forkMs, warm, resets, pristine } = report
  const facts: Array<[string, string]> = [
    ['template', describeTemplate(report)],
    ['postgres', report.postgres],
    ['branches', `${leaseMs.length} leased, ${warm} of them made ahead`],
    ['lease', `p50 ${describePercentile(leaseMs, 0.5)}, p95 ${describePercentile(leaseMs, 0.95)}`],
  ]
  if (forkMs.length > 0) {
    const text = `p50 ${describePercentile(forkMs, 0.5)}, p95 ${describePercentile(forkMs, 0.95)}, in the background`
    facts.push(['fork', text])
  }
  if (resets > 0) facts.push(['resets', `${resets}, of which ${pristine} had nothing to undo`])
  facts.push(['volume', report.volume])
  if (report.advice !== undefined) facts.push(['faster', report.advice])
  return facts
}

/** @returns a block for a terminal; '' if no test had a branch. */
export function describeRun(reports: RunReport[]): string {
  return reports
    .map((report) => {
      const title = reports.length > 1 ? `pg-branch, ${report.baseDir}` : 'pg-branch'
      const lines = listFacts(report).map(([name, text]) => `  ${name.padEnd(9)} ${text}`)
      const kept = report.kept.flatMap(({ reason, psqlLine, forMs }) => [
        `  kept      ${reason} (for ${formatDuration(forMs)})`,
        `            ${psqlLine}`,
      ])
      return [title, ...lines, ...kept].join('\n')
    })
    .join('\n\n')
}

/** @returns Markdown for a job summary. */
export function describeRunAsMarkdown(reports: RunReport[]): string {
  return reports
    .map((report) => {
      const rows = listFacts(report).map(([name, text]) => `| ${name} | ${escapeCell(text)} |`)
      const kept = report.kept.map(({ reason, psqlLine }) => `- ${reason}: \`${psqlLine}\``)
      const keptText =
        kept.length === 0 ? '' : `\nBranches of failed tests, while this machine is there:\n\n${kept.join('\n')}\n`
      return `### pg-branch${reports.length > 1 ? `: ${report.baseDir}` : ''}\n\n| | |\n| --- | --- |\n${rows.join('\n')}\n${keptText}`
    })
    .join('\n')
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

/** @returns lines that GitHub Actions shows beside the change (docs.github.com, "Workflow commands"). */
export function listAnnotations(reports: RunReport[]): string[] {
  return reports.flatMap(({ kept }) =>
    kept.map(
      ({ reason, psqlLine }) => `::warning title=pg-branch kept a branch::${escapeData(`${reason}: ${psqlLine}`)}`,
    ),
  )
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
