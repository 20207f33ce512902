import { spawnSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectSupervisor } from 'pg-branch/client'
import { inOwnHome } from './branches.ts'
import { median } from './measure.ts'
import type { S3Server } from './s3.ts'

const cliFile = join(dirname(fileURLToPath(import.meta.resolve('pg-branch/package.json'))), 'dist/cli/main.js')
const rounds = 15

/** How long a command takes as a whole, its start included. */
export interface CommandFigures {
  command: string
  ms: number
}

/** @returns what it printed, and how long it took. */
function run(dir: string, args: string[]): { ms: number; stdout: string } {
  const startedAt = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' })
  const ms = performance.now() - startedAt
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stderr}`)
  return { ms, stdout }
}

const runCli = (dir: string, args: string[]) => run(dir, [cliFile, ...args])

async function measure(command: string, action: (round: number) => number | Promise<number>): Promise<CommandFigures> {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) times.push(await action(round))
  return { command, ms: median(times) }
}

async function writeFiles(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param options.branches how many there are when they are listed. */
export async function measureCommands(options: { volumePath: string; branches: number }): Promise<CommandFigures[]> {
  return inOwnHome(async (dir) => {
    await writeFiles(dir, {
      'pg-branch.config.mjs': `export default { volume: { path: ${JSON.stringify(options.volumePath)} }, pool: { size: 3 } }`,
      'migrations/1.sql': 'CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) AS n',
    })
    runCli(dir, ['up', '--for', '2h'])
    const figures = [
      await measure('`node -e 0`, for comparison', () => run(dir, ['-e', '0']).ms),
      await measure('`pg-branch --help`', () => runCli(dir, ['--help']).ms),
      await measure('`pg-branch branch create`, a branch ready', async (round) => {
        // The pool fills up again.
        await pause(1_500)
        return runCli(dir, ['branch', 'create', `b${round}`]).ms
      }),
      await measure('`pg-branch branch url`', () => runCli(dir, ['branch', 'url', 'b0']).ms),
    ]
    await createBranches(dir, options.branches - rounds)
    figures.push(
      await measure(`\`node -e 0\` beside ${options.branches} branches`, () => run(dir, ['-e', '0']).ms),
      await measure(`\`pg-branch branch ls\` of ${options.branches} branches`, () => runCli(dir, ['branch', 'ls']).ms),
    )
    return figures
  })
}

async function createBranches(rootDir: string, count: number): Promise<void> {
  const connection = await connectSupervisor()
  const request = { rootDir, options: {}, env: {}, withheld: {}, runId: 'bench', labels: {} }
  for (let index = 0; index < count; index += 1) {
    await connection.call.createBranch({ ...request, name: `more-${index}`, ttlMs: null })
  }
  connection.close()
}

/** How the rows come into the first step: by one statement, or as an application's seed script does it. */
export type SeedKind = 'one INSERT … SELECT' | 'a script, 1000 rows a statement'

export interface SharingFigures {
  seed: SeedKind
  /** Kind of the store. */
  store: 'directory' | 'S3'
  dataMb: number
  buildMs: number
  pullMs: number
  /** Compressed. */
  templateMb: number
  /** Of rows and indexes that a changed last step makes, and what had to be moved for it. */
  layerMb: number
  movedMb: number
}

const s3PackageDir = fileURLToPath(new URL('..', import.meta.resolve('@pg-branch/s3')))

const mb = 1024 ** 2
const createRows = (table: string, rows: number) =>
  `CREATE TABLE ${table} (id int PRIMARY KEY, at timestamptz NOT NULL, name text NOT NULL);
INSERT INTO ${table} SELECT n, timestamptz '2026-01-01' + n * interval '1 minute', md5(n::text) || ' ' || n FROM generate_series(1, ${rows}) AS n;
CREATE INDEX ON ${table} (name);`

/** The text of a function step that makes the same rows. */
const createScript = (table: string, rows: number) => `async ({ client }) => {
  await client.query(\`${createRows(table, 0)}\`)
  const columns = [...Array(1000).keys()].map((n) => \`($\${n * 3 + 1}, $\${n * 3 + 2}, $\${n * 3 + 3})\`)
  for (let start = 1; start <= ${rows}; start += 1000) {
    const values = columns.flatMap((_, n) => [start + n, new Date(Date.UTC(2026, 0, 1, 0, start + n)), createHash('md5').update(String(start + n)).digest('hex') + ' ' + (start + n)])
    await client.query('INSERT INTO ${table} VALUES ' + columns.join(', '), values)
  }
}`

interface Exchanged {
  bytes: number
  bytesMoved: number
}

/** @param options.rows of the first step; 700,000 are about 100 MB. */
export async function measureSharing(options: {
  volumePath: string
  rows: number
  seed: SeedKind
  /** Of a bucket, in place of a directory. */
  bucket?: { server: S3Server; prefix: string } | undefined
}): Promise<SharingFigures> {
  const { bucket } = options
  const store =
    bucket === undefined ? 'store' : `s3://${bucket.server.bucket}/${bucket.prefix}?endpoint=${bucket.server.origin}`
  Object.assign(process.env, bucket?.server.env)
  const createConfig = (first: string) =>
    `import { createHash } from 'node:crypto'
     export default { volume: { path: ${JSON.stringify(options.volumePath)} }, seed: [${first}, { kind: 'sql', globs: ['2.sql'] }] }`
  const sql = `{ kind: 'sql', globs: ['1.sql'] }`
  const isScript = options.seed !== 'one INSERT … SELECT'
  return inOwnHome(async (dir) => {
    // As `npm i -D @pg-branch/s3` does.
    await mkdir(join(dir, 'node_modules/@pg-branch'), { recursive: true })
    await symlink(s3PackageDir, join(dir, 'node_modules/@pg-branch/s3'))
    const layerRows = Math.round(options.rows / 20)
    await writeFiles(dir, { 'pg-branch.config.mjs': createConfig(sql), '1.sql': 'SELECT 1', '2.sql': 'SELECT 2' })
    // So that neither way pays for what a machine does once.
    runCli(dir, ['template', 'build'])
    await writeFiles(dir, {
      'pg-branch.config.mjs': createConfig(isScript ? createScript('first', options.rows) : sql),
      '1.sql': createRows('first', options.rows),
      '2.sql': createRows('last', layerRows),
    })
    const build = runCli(dir, ['template', 'build'])
    const push = () => JSON.parse(runCli(dir, ['template', 'push', store, '--json']).stdout) as Exchanged
    const pushed = push()
    const size = Number(
      runCli(dir, ['run', '--', 'psql', '-Atc', 'SELECT pg_database_size(current_database())']).stdout.trim(),
    )
    const { key } = JSON.parse(runCli(dir, ['template', 'why', '--json']).stdout) as { key: string }
    runCli(dir, ['template', 'rm', key])
    const pull = runCli(dir, ['template', 'pull', store])
    await writeFiles(dir, { '2.sql': createRows('changed', layerRows) })
    runCli(dir, ['template', 'build'])
    const changed = push()
    const layer = Number(
      runCli(dir, ['run', '--', 'psql', '-Atc', "SELECT pg_total_relation_size('changed')"]).stdout.trim(),
    )
    return {
      seed: options.seed,
      store: bucket === undefined ? 'directory' : 'S3',
      dataMb: size / mb,
      buildMs: build.ms,
      pullMs: pull.ms,
      templateMb: pushed.bytes / mb,
      layerMb: layer / mb,
      movedMb: changed.bytesMoved / mb,
    }
  })
}
