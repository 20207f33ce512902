// Draws `pages/figures.svg` from the first table of `pages/figures.md`, which is what `npm run bench` prints:
// `npm run draw --prefix packages/docs`; with `--print` to standard output. A test holds the picture against the table.
import { readFileSync, writeFileSync } from 'node:fs'
import { argv, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'

const page = fileURLToPath(new URL('pages/figures.md', import.meta.url))
const picture = fileURLToPath(new URL('pages/figures.svg', import.meta.url))

const [left, right, top, rowHeight, barHeight, gap] = [90, 700, 64, 74, 22, 4]
/** The axis goes from the first to the last, by powers of ten. */
const [firstMs, lastMs] = [10, 100_000]

/** @returns for each size: a branch when none is ready, and `CREATE DATABASE` by the better of its two ways. */
function readRows(markdown) {
  const [heading = '', , ...lines] = markdown.split('\n').filter((line) => line.startsWith('|'))
  const columns = splitRow(heading)
  const find = (row, name) => row[columns.findIndex((column) => column.startsWith(name))] ?? ''
  const rows = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith('| driver')),
  )
  return rows.map(splitRow).map((row) => ({
    size: formatSize(Number.parseInt(find(row, 'data'), 10)),
    branchMs: Number.parseFloat(find(row, 'cold')),
    databaseMs: Math.min(...find(row, 'CREATE DATABASE').split('/').map(Number.parseFloat)),
  }))
}

const splitRow = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
const formatSize = (mb) => (mb < 1000 ? `${mb} MB` : `${mb / 1000} GB`)
const formatMs = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`)

/** @param {string} markdown @returns {string} the picture. */
function drawFigures(markdown) {
  const rows = readRows(markdown)
  const bottom = top + rows.length * rowHeight
  const scale = (ms) => (Math.log10(ms / firstMs) / Math.log10(lastMs / firstMs)) * (right - left)
  const ticks = [10, 100, 1000, 10_000, 100_000].map((ms) => {
    const x = (left + scale(ms)).toFixed(1)
    return `  <line class="grid" x1="${x}" y1="${top - 8}" x2="${x}" y2="${bottom - 10}"/>
  <text class="axis" x="${x}" y="${bottom + 8}" text-anchor="middle">${formatMs(ms)}</text>`
  })
  const bar = (
    kind,
    ms,
    y,
  ) => `  <rect class="${kind}" x="${left}" y="${y}" width="${scale(ms).toFixed(1)}" height="${barHeight}" rx="3"/>
  <text x="${(left + scale(ms) + 6).toFixed(1)}" y="${y + 16}">${formatMs(ms)}</text>`
  const bars = rows.flatMap(({ size, branchMs, databaseMs }, index) => {
    const y = top + index * rowHeight
    return [
      `  <text x="${left - 10}" y="${y + barHeight + gap / 2 + 5}" text-anchor="end">${size}</text>`,
      bar('branch', branchMs, y),
      bar('database', databaseMs, y + barHeight + gap),
    ]
  })
  const title = 'Time to a copy of a database, by its size, when none is ready'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 ${bottom + 24}" role="img" aria-label="${title}: ${rows
    .map((row) => `${row.size}: ${formatMs(row.branchMs)} and ${formatMs(row.databaseMs)}`)
    .join('; ')}">
  <style>
    text { font: 14px system-ui, sans-serif; fill: #57606a }
    .title { font-weight: 600 } .axis { font-size: 12px } .grid { stroke: #8886; stroke-width: 1 }
    .branch { fill: #1f883d } .database { fill: #8c959f }
    @media (prefers-color-scheme: dark) { text { fill: #b1bac4 } .branch { fill: #3fb950 } .database { fill: #6e7681 } }
  </style>
  <text class="title" x="${left}" y="20">${title}</text>
  <rect class="branch" x="${left}" y="33" width="12" height="12" rx="2"/><text x="${left + 18}" y="44">a branch (btrfs), to its first answer</text>
  <rect class="database" x="${left + 270}" y="33" width="12" height="12" rx="2"/><text x="${left + 288}" y="44">CREATE DATABASE … TEMPLATE</text>
${[...ticks, ...bars].join('\n')}
</svg>
`
}

const drawing = drawFigures(readFileSync(page, 'utf8'))
if (argv.includes('--print')) stdout.write(drawing)
else writeFileSync(picture, drawing)
