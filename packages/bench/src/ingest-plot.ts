import type { IngestFigures } from './ingest.ts'

const colours = ['#b0b7c3', '#7f8fa9', '#4f6d9e', '#d9662b']
const bar = { height: 14, gap: 3 }
const labelWidth = 230
const plotWidth = 420
const rowGap = 26

/** @returns an SVG with a group of bars for each disk and workload, as long as the build took against default settings. */
export function drawIngest(figures: IngestFigures[]): string {
  const groups = groupFigures(figures)
  const modes = [...new Set(figures.map(({ mode }) => mode))]
  const groupHeight = modes.length * (bar.height + bar.gap) + rowGap
  const height = groups.size * groupHeight + 60
  const width = labelWidth + plotWidth + 110
  const parts = modes.map((mode, index) => {
    const x = labelWidth + index * 130
    return `<rect x="${x}" y="14" width="12" height="12" fill="${colours[index]}"/><text x="${x + 17}" y="24">${escapeText(mode)}</text>`
  })
  for (const [index, [title, rows]] of [...groups].entries()) {
    const top = 50 + index * groupHeight
    const slowest = Math.max(...rows.map(({ buildMs }) => buildMs))
    parts.push(
      `<text x="${labelWidth - 10}" y="${top + groupHeight / 2 - 10}" text-anchor="end">${escapeText(title)}</text>`,
    )
    for (const [place, { mode, buildMs }] of rows.entries()) {
      const y = top + place * (bar.height + bar.gap)
      const length = Math.max(1, (buildMs / slowest) * plotWidth)
      parts.push(
        `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${bar.height}" fill="${colours[modes.indexOf(mode)]}"/>`,
        `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + 11}">${(buildMs / 1000).toFixed(1)} s</text>`,
      )
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

function groupFigures(figures: IngestFigures[]): Map<string, IngestFigures[]> {
  const groups = new Map<string, IngestFigures[]>()
  for (const row of figures) {
    const title = `${row.disk}: ${row.workload}`
    groups.set(title, [...(groups.get(title) ?? []), row])
  }
  return groups
}
