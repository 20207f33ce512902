import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { execa } from 'execa'
import { inOwnHome } from './branches.ts'
import { createWorkloads, type Workload } from './ingest-workloads.ts'
import { median } from './measure.ts'
import { slowDown } from './slow-disk.ts'
import { makeVolume, type FileSystem } from './volumes.ts'

export interface IngestFigures {
  disk: string
  workload: string
  mode: string
  /** Milliseconds from the start of the last step to its sealed template: checks included. */
  buildMs: number
  walBytes: number
  walBytesOnDisk: number
}

/** How a template is built; all else is as for every build (256 MB for index builds, checkpoints after 4 GB of WAL). */
const modes: Record<string, { fastIngest?: boolean; settings: Record<string, string> }> = {
  default: {
    settings: {
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      wal_level: 'replica',
      wal_init_zero: 'on',
      wal_recycle: 'on',
    },
  },
  'fsync=off': { settings: { full_page_writes: 'on', wal_level: 'replica' } },
  'wal_level=minimal': { settings: {} },
  'fast ingest': { fastIngest: true, settings: {} },
}

/** What a disk is, and how it is made; on a slow one fewer commits are waited for. */
const disks: Record<string, { fileSystem: FileSystem; isSlow?: boolean }> = {
  ext4: { fileSystem: 'ext4' },
  btrfs: { fileSystem: 'btrfs' },
  tmpfs: { fileSystem: 'tmpfs' },
  'slow ext4': { fileSystem: 'ext4', isSlow: true },
}

export async function measureIngest(options: {
  disks: string[]
  rows: number[]
  commits: number
  repeat: number
}): Promise<IngestFigures[]> {
  const figures: IngestFigures[] = []
  for (const disk of options.disks) {
    const kind = disks[disk]
    if (kind === undefined) throw new Error(`unknown disk ${disk}; known: ${Object.keys(disks).join(', ')}`)
    await using volume = await makeVolume(kind.fileSystem, 12_000)
    const lift = kind.isSlow === true ? await slowDown(volume.path) : undefined
    if (typeof lift === 'object') {
      process.stderr.write(`SKIPPED: ${disk}: ${lift.reason}\n`)
      continue
    }
    try {
      const commits = kind.isSlow === true ? Math.ceil(options.commits / 40) : options.commits
      for (const workload of createWorkloads({ rows: options.rows, commits })) {
        process.stderr.write(`${disk}, ${workload.title} …\n`)
        figures.push(...(await measureWorkload({ disk, workload, volumePath: volume.path, repeat: options.repeat })))
      }
    } finally {
      await lift?.()
    }
  }
  return figures
}

/** The modes take turns, so that whatever else the machine does meets them all. */
function measureWorkload(options: {
  disk: string
  workload: Workload
  volumePath: string
  repeat: number
}): Promise<IngestFigures[]> {
  const { disk, workload, volumePath, repeat } = options
  return inOwnHome(async (dir) => {
    const runs = new Map<string, Run[]>(Object.keys(modes).map((mode) => [mode, []]))
    const layers = new Map<string, Built>()
    for (let round = 0; round < repeat; round += 1) {
      for (const [mode, { fastIngest = false, settings }] of Object.entries(modes)) {
        const project = join(dir, mode.replaceAll(/\W/g, '-'))
        await mkdir(project, { recursive: true })
        await writeFile(join(project, 'before.sql'), `${workload.before}\n`)
        const config = (withLast: boolean) => ({
          fastIngest,
          postgres: { settings },
          volume: { path: volumePath },
          pool: { size: 0 },
          seed: [
            { kind: 'sql', globs: ['before.sql'] },
            ...(withLast ? [{ kind: 'sql', globs: [...workload.files, 'last.sql'] }] : []),
          ],
        })
        const build = async (withLast: boolean) => {
          await writeFile(join(project, 'pg-branch.config.json'), JSON.stringify(config(withLast)))
          return buildTemplate(project, volumePath)
        }
        // First what the step builds on; then the step alone is built.
        const layer = layers.get(mode) ?? (await build(false))
        layers.set(mode, layer)
        await writeFile(join(project, 'last.sql'), `-- round ${round}\n${workload.text}\n`)
        runs.get(mode)?.push(compare(await build(true), layer))
      }
    }
    return [...runs].map(([mode, list]) => ({
      disk,
      workload: workload.title,
      mode,
      buildMs: median(list.map(({ buildMs }) => buildMs)),
      walBytes: median(list.map(({ walBytes }) => walBytes)),
      walBytesOnDisk: median(list.map(({ walBytesOnDisk }) => walBytesOnDisk)),
    }))
  })
}

interface Run {
  buildMs: number
  walBytes: number
  walBytesOnDisk: number
}

interface Built {
  dir: string
  manifest: { buildMs: number; createdAt: string; ingest?: { walBytes: number; walBytesOnDisk: number } }
}

/** @returns what the build of one layer on another took. */
function compare({ dir, manifest }: Built, layer: Built): Run {
  const { buildMs, ingest } = manifest
  const walBytes = readCheckpoint(dir) - readCheckpoint(layer.dir)
  // Segments are counted whole where they are lost, and to the byte by Postgres.
  const lost = Math.min(walBytes, ingest === undefined ? 0 : ingest.walBytes - ingest.walBytesOnDisk)
  return { buildMs, walBytes, walBytesOnDisk: walBytes - lost }
}

const cliFile = join(dirname(createRequire(import.meta.url).resolve('pg-branch/package.json')), 'dist/cli/main.js')

async function buildTemplate(dir: string, volumePath: string): Promise<Built> {
  await execa(process.execPath, [cliFile, 'template', 'build'], { cwd: dir })
  const built = listTemplates(volumePath).toSorted(
    (a, b) => Date.parse(b.manifest.createdAt) - Date.parse(a.manifest.createdAt),
  )
  const [newest] = built
  if (newest === undefined) throw new Error(`no template was built in ${dir}`)
  return newest
}

function listTemplates(volumePath: string): Built[] {
  return readdirSync(volumePath)
    .map((name) => join(volumePath, name, 'templates'))
    .filter((dir) => existsSync(dir))
    .flatMap((templates) => readdirSync(templates).map((key) => join(templates, key)))
    .map((dir) => ({
      dir,
      manifest: JSON.parse(readFileSync(join(dir, 'template.json'), 'utf8')) as Built['manifest'],
    }))
}

/** The position of the last checkpoint; source: ControlFileData in pg_control.h of PostgreSQL. */
function readCheckpoint(templateDir: string): number {
  return Number(readFileSync(join(templateDir, 'data/global/pg_control')).readBigUInt64LE(32))
}
