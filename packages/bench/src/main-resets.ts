import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureOverhead, type OverheadFigures } from './gateway.ts'
import {
  clients,
  measureResets,
  measureSustained,
  withLease,
  type ResetFigures,
  type SustainedFigures,
} from './resets.ts'
import { measureSnapshots, type SnapshotFigures } from './snapshots.ts'
import { renderTable } from './table.ts'
import { makeVolume, type FileSystem } from './volumes.ts'

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    volume: { type: 'string', default: 'btrfs' },
    /** Of each kind of pool, half of them with nothing written. */
    resets: { type: 'string', default: '1000' },
    sustained: { type: 'string', default: '60' },
    parts: { type: 'string', default: 'overhead,resets,sustained,snapshots' },
    json: { type: 'string' },
  },
})

await using volume = await makeVolume(values.volume as FileSystem, 8_192)
const volumePath = volume.path
const parts = new Set(values.parts.split(','))
const ms = (value: number) => `${value.toFixed(1)} ms`
const report: Record<string, unknown> = { date: new Date().toISOString(), volume: values.volume }

/** Each part is printed when it is done: the whole takes long. */
function print(name: string, table: string, figures: unknown): void {
  report[name] = figures
  process.stdout.write(table)
}

if (parts.has('overhead')) {
  const figures = await measureOverhead(volumePath)
  const table = renderTable<OverheadFigures>(
    [
      ['connection', ({ way }) => way],
      ['`SELECT 1`, p50', ({ queryP50Ms }) => `${queryP50Ms.toFixed(3)} ms`],
      ['pgbench -S, 2 clients', ({ transactionsPerSecond }) => `${transactionsPerSecond.toFixed(0)} /s`],
    ],
    figures,
  )
  print('overhead', table, figures)
}
if (parts.has('resets')) {
  const figures: ResetFigures[] = []
  for (const createClient of Object.values(clients)) {
    figures.push(
      await withLease({ volumePath, scope: 'test' }, (lease) =>
        measureResets(lease, createClient, Number(values.resets) / 2),
      ),
    )
  }
  const table = renderTable<ResetFigures>(
    [
      ['pool of 10', ({ client }) => client],
      ['resets', ({ resets }) => String(resets)],
      ['after a write, p50 / p95', ({ forkP50Ms, forkP95Ms }) => `${forkP50Ms.toFixed(1)} / ${ms(forkP95Ms)}`],
      ['the next query', ({ firstQueryMs }) => ms(firstQueryMs)],
      ['nothing written, p50 / p95', (row) => `${row.pristineP50Ms.toFixed(1)} / ${ms(row.pristineP95Ms)}`],
      ['errors', ({ errors }) => String(errors)],
    ],
    figures,
  )
  print('resets', table, figures)
}
if (parts.has('sustained')) {
  const figures = await withLease({ volumePath, scope: 'test' }, (lease) =>
    measureSustained(lease, Number(values.sustained)),
  )
  const table = renderTable<SustainedFigures>(
    [
      ['one right after the other', ({ way }) => way],
      ['resets', ({ perSecond }) => `${perSecond.toFixed(1)} /s`],
      ['CPU a reset', ({ cpuMs }) => `${cpuMs.toFixed(0)} ms`],
    ],
    figures,
  )
  print('sustained', table, figures)
}
if (parts.has('snapshots')) {
  const figures = await measureSnapshots(volumePath)
  const table = renderTable<SnapshotFigures>(
    [
      ['snapshot under', ({ load }) => load],
      [
        'a writer waits, p50 / longest',
        ({ pauseP50Ms, pauseMaxMs }) => `${pauseP50Ms.toFixed(0)} / ${pauseMaxMs.toFixed(0)} ms`,
      ],
      ['snapshot', ({ snapshotMs }) => `${snapshotMs.toFixed(0)} ms`],
    ],
    figures,
  )
  print('snapshots', table, figures)
}
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report, undefined, 2))
