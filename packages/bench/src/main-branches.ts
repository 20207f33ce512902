import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureBranches, type BranchFigures, type WarmFigures } from './branches.ts'
import { measureDatabaseBranches, type DatabaseFigures } from './databases.ts'
import { measureRunnerStart } from './start.ts'
import { renderTable, type Column } from './table.ts'
import { makeVolume, type FileSystem } from './volumes.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10,100,1000' },
    'with-10gb': { type: 'boolean', default: false },
    drivers: { type: 'string', default: 'btrfs,reflink,copy-tmpfs,copy-ext4' },
    /** File systems on which branches that are databases on one server are measured. */
    databases: { type: 'string', default: 'btrfs,ext4' },
    json: { type: 'string' },
  },
})

const fileSystems: Record<string, FileSystem> = {
  btrfs: 'btrfs',
  reflink: 'xfs',
  'copy-tmpfs': 'tmpfs',
  'copy-ext4': 'ext4',
}
const sizesMb = [...values.sizes.split(',').map(Number), ...(values['with-10gb'] ? [10_000] : [])]
const figures: BranchFigures[] = []

for (const driver of values.drivers.split(',').filter(Boolean)) {
  const fileSystem = fileSystems[driver]
  if (fileSystem === undefined)
    throw new Error(`unknown driver ${driver}; known: ${Object.keys(fileSystems).join(', ')}`)
  for (const sizeMb of sizesMb) {
    // Copies of large data measure the disk, not us.
    if (driver.startsWith('copy') && sizeMb > 100) continue
    await using volume = await makeVolume(fileSystem, sizeMb * 12 + 4_096)
    process.stderr.write(`${driver}, ${sizeMb} MB …\n`)
    figures.push(await measureBranches({ driver, volumePath: volume.path, sizeMb }))
  }
}

const databaseFigures: DatabaseFigures[] = []
for (const name of values.databases.split(',').filter(Boolean)) {
  for (const sizeMb of sizesMb.filter((size) => size <= 100)) {
    await using volume = await makeVolume(name as FileSystem, sizeMb * 100 + 4_096)
    process.stderr.write(`databases on ${name}, ${sizeMb} MB …\n`)
    databaseFigures.push(await measureDatabaseBranches({ fileSystem: name, volumePath: volume.path, sizeMb }))
  }
}

const warmColumns: Array<Column<WarmFigures>> = [
  ['warm lease to first query, p50 / p95', (row) => `${row.warmP50Ms.toFixed(1)} / ${row.warmP95Ms.toFixed(1)} ms`],
  ['connecting once more', (row) => `${row.reconnectMs.toFixed(1)} ms`],
  ['refill', (row) => `${row.refillPerSecond.toFixed(1)} /s`],
  ['CPU a branch', (row) => `${row.cpuPerBranchMs.toFixed(0)} ms`],
  ['remove', (row) => (Number.isNaN(row.removeMs) ? 'recycled' : `${row.removeMs.toFixed(0)} ms`)],
]
const databaseColumns: Array<Column<DatabaseFigures>> = [
  ['databases on', (row) => row.fileSystem],
  ['data', (row) => `${row.sizeMb} MB`],
  ...warmColumns,
]
const columns: Array<Column<BranchFigures>> = [
  ['driver', (row) => row.driver],
  ['data', (row) => `${row.sizeMb} MB`],
  ['cold', (row) => `${row.coldMs.toFixed(0)} ms`],
  ['CREATE DATABASE, WAL_LOG / FILE_COPY', (row) => `${row.walLogMs.toFixed(0)} / ${row.fileCopyMs.toFixed(0)} ms`],
  ['warm ÷ better of these', (row) => (row.warmP50Ms / Math.min(row.walLogMs, row.fileCopyMs)).toFixed(2)],
  ...warmColumns,
  ['disk of its own', (row) => `${(row.exclusiveKb / 1024).toFixed(1)} MB`],
  ['idle memory (PSS)', (row) => `${row.idleMemoryMb.toFixed(1)} MB`],
]
const runnerStartMs = measureRunnerStart()
const report = {
  date: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  figures,
  databaseFigures,
  runnerStartMs,
}
process.stdout.write(
  `${renderTable(columns, figures)}${renderTable(databaseColumns, databaseFigures)}Loading a runner package adds ${runnerStartMs.toFixed(0)} ms to a worker's start.\n\n${JSON.stringify(report, undefined, 2)}\n`,
)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report, undefined, 2))
