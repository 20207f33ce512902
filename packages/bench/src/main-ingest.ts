import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureIngest, type IngestFigures } from './ingest.ts'
import { drawIngest } from './ingest-plot.ts'
import { renderTable, type Column } from './table.ts'

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    disks: { type: 'string', default: 'ext4,btrfs,tmpfs,slow ext4' },
    /** Of the COPYs; the indexes are on the first. */
    rows: { type: 'string', default: '1000000,4000000' },
    commits: { type: 'string', default: '200000' },
    /** How often each is built; the median counts. */
    repeat: { type: 'string', default: '3' },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
})

const figures = await measureIngest({
  disks: values.disks.split(',').filter(Boolean),
  rows: values.rows.split(',').map(Number),
  commits: Number(values.commits),
  repeat: Number(values.repeat),
})

/** Of the same disk and workload. */
function findMode({ disk, workload }: IngestFigures, mode: string): IngestFigures | undefined {
  return figures.find((row) => row.disk === disk && row.workload === workload && row.mode === mode)
}

const formatSeconds = (row: IngestFigures | undefined) => `${((row?.buildMs ?? Number.NaN) / 1000).toFixed(1)} s`
const divide = (row: IngestFigures, by: string) =>
  ((findMode(row, by)?.buildMs ?? Number.NaN) / (findMode(row, 'fast ingest')?.buildMs ?? Number.NaN)).toFixed(2)
const modes = [...new Set(figures.map(({ mode }) => mode))]
const columns: Array<Column<IngestFigures>> = [
  ['disk', ({ disk }) => disk],
  ['last step', ({ workload }) => workload],
  ...modes.map((mode): Column<IngestFigures> => [mode, (row) => formatSeconds(findMode(row, mode))]),
  ['default ÷ fast', (row) => divide(row, 'default')],
  ['minimal ÷ fast', (row) => divide(row, 'wal_level=minimal')],
  ['WAL, default', (row) => `${(row.walBytesOnDisk / 1024 ** 2).toFixed(0)} MB`],
  [
    'WAL on disk, fast',
    (row) => {
      const fast = findMode(row, 'fast ingest')
      return `${((fast?.walBytesOnDisk ?? Number.NaN) / 1024 ** 2).toFixed(1)} MB`
    },
  ],
]
const rows = figures.filter(({ mode }) => mode === 'default')
process.stdout.write(renderTable(columns, rows))
if (values.svg !== undefined) writeFileSync(values.svg, drawIngest(figures))
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    JSON.stringify({ date: new Date().toISOString(), node: process.version, figures }, undefined, 2),
  )
}
