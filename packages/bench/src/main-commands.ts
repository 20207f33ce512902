import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureCommands, measureSharing, type CommandFigures, type SeedKind, type SharingFigures } from './commands.ts'
import { startS3 } from './s3.ts'
import { renderTable } from './table.ts'
import { makeVolume, type FileSystem } from './volumes.ts'

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    volume: { type: 'string', default: 'btrfs' },
    branches: { type: 'string', default: '500' },
    rows: { type: 'string', default: '700000' },
    parts: { type: 'string', default: 'commands,sharing' },
    json: { type: 'string' },
  },
})

await using volume = await makeVolume(values.volume as FileSystem, 16_384)
const parts = new Set(values.parts.split(','))
const report: Record<string, unknown> = { date: new Date().toISOString(), volume: values.volume }

if (parts.has('commands')) {
  const figures = await measureCommands({ volumePath: volume.path, branches: Number(values.branches) })
  report.commands = figures
  const columns: Parameters<typeof renderTable<CommandFigures>>[0] = [
    ['command', ({ command }) => command],
    ['whole, median', ({ ms }) => `${ms.toFixed(0)} ms`],
  ]
  process.stdout.write(renderTable(columns, figures))
}
if (parts.has('sharing')) {
  const seeds: SeedKind[] = ['one INSERT … SELECT', 'a script, 1000 rows a statement']
  const figures: SharingFigures[] = []
  const base = { volumePath: volume.path, rows: Number(values.rows) }
  for (const seed of seeds) figures.push(await measureSharing({ ...base, seed }))
  await using server = await startS3()
  figures.push(
    await measureSharing({ ...base, seed: 'a script, 1000 rows a statement', bucket: { server, prefix: 'bench' } }),
  )
  report.sharing = figures
  const size = (value: number) => `${value.toFixed(1)} MB`
  const columns: Parameters<typeof renderTable<SharingFigures>>[0] = [
    ['seed', ({ seed }) => seed],
    ['store', ({ store }) => store],
    ['database', ({ dataMb }) => size(dataMb)],
    ['compressed', ({ templateMb }) => size(templateMb)],
    ['`template build`', ({ buildMs }) => `${(buildMs / 1000).toFixed(1)} s`],
    ['`template pull`', ({ pullMs }) => `${(pullMs / 1000).toFixed(1)} s`],
    ['build ÷ pull', ({ buildMs, pullMs }) => (buildMs / pullMs).toFixed(1)],
    ['a changed last step', ({ layerMb }) => size(layerMb)],
    ['moved for it', ({ movedMb }) => size(movedMb)],
  ]
  process.stdout.write(renderTable(columns, figures))
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
