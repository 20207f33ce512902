import { mkdir, mkdtemp, rm, writeFile, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { connectSupervisor, withSentinel, type Connection, type LeaseAnswer } from 'pg-branch/client'
import { median, percentile, readCpuMs, readServerMemory, readUsedBytes, time } from './measure.ts'

/** What is measured of ready branches, whatever they are. */
export interface WarmFigures {
  warmP50Ms: number
  warmP95Ms: number
  /** Connecting once more to the same branch, to a first query answered: what no way of ours could save. */
  reconnectMs: number
  refillPerSecond: number
  cpuPerBranchMs: number
  removeMs: number
}

/** Figures of one driver on one size of data; times in milliseconds, medians unless named otherwise. */
export interface BranchFigures extends WarmFigures {
  driver: string
  sizeMb: number
  coldMs: number
  walLogMs: number
  fileCopyMs: number
  exclusiveKb: number
  idleMemoryMb: number
}

interface Bench {
  rootDir: string
  volumePath: string
  sizeMb: number
}

const rounds = 20
const refillBranches = 60
const heldForSpace = 8

/** Measures one driver as a user meets it: over the supervisor's socket, on a real volume. */
export async function measureBranches(options: {
  driver: string
  volumePath: string
  sizeMb: number
}): Promise<BranchFigures> {
  const { driver, volumePath, sizeMb } = options
  return inOwnHome(async (rootDir) => {
    const bench = { rootDir, volumePath, sizeMb }
    await writeProject(bench, 0)
    const cold = await measureCold(bench)
    const databases = await measureDatabases(bench)
    await stop()
    await writeProject(bench, 3)
    const warm = await measureWarm(bench)
    return { driver, sizeMb, ...cold, ...databases, ...warm }
  })
}

/** Runs `action` in an empty directory, with a supervisor, and all that it keeps, of its own. */
export async function inOwnHome<T>(action: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'pgb-bench-'))
  const home = await mkdtemp(join(tmpdir(), 'pgb-bench-home-'))
  await chmod(home, 0o711)
  process.env.PG_BRANCH_HOME = home
  try {
    return await action(dir)
  } finally {
    await stop()
    await rm(dir, { recursive: true })
    await rm(home, { recursive: true })
  }
}

/** @returns SQL that makes a table of about that size. */
export function createSeed(sizeMb: number): string {
  const rows = Math.max(1, Math.round((sizeMb * 1024 * 1024) / 1090))
  return `CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, ${rows}) AS n;`
}

/** A project with one table, on a volume. */
export async function writeProject({ rootDir, volumePath, sizeMb }: Bench, poolSize: number): Promise<void> {
  await mkdir(join(rootDir, 'seed'), { recursive: true })
  await writeFile(join(rootDir, 'seed/1.sql'), createSeed(sizeMb))
  const config = {
    database: 'bench',
    pool: { size: poolSize },
    volume: { path: volumePath },
    seed: [{ kind: 'sql', globs: ['seed/*.sql'] }],
  }
  await writeFile(join(rootDir, 'pg-branch.config.json'), JSON.stringify(config))
}

async function leaseFrom({ rootDir }: Bench): Promise<{ connection: Connection; answer: LeaseAnswer; url: string }> {
  const connection = await connectSupervisor()
  const answer = await connection.call.lease({
    rootDir,
    options: {},
    env: withSentinel(process.env),
    withheld: {},
    scope: 'file',
    runId: 'bench',
    holder: 'bench',
  })
  return { connection, answer, url: answer.variables.DATABASE_URL ?? '' }
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(text)
  await client.end()
}

/** @returns milliseconds from asking for a branch to the answer of a first query, one after the other. */
async function measureLeases(
  bench: Bench,
  options: { rounds: number; pauseMs: number },
): Promise<{ times: number[]; again: number[] }> {
  const times: number[] = []
  const again: number[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    let held: Awaited<ReturnType<typeof leaseFrom>> | undefined
    const opened = async () => {
      held = await leaseFrom(bench)
      await query(held.url, 'SELECT 1 FROM t WHERE id = 1')
    }
    times.push(await time(opened))
    again.push(await time(() => query(held?.url ?? '', 'SELECT 1 FROM t WHERE id = 1')))
    held?.connection.close()
    await pause(options.pauseMs)
  }
  return { times, again }
}

/** Without a pool every lease forks; the answer to a first query is the end. */
async function measureCold(bench: Bench): Promise<Pick<BranchFigures, 'coldMs' | 'exclusiveKb' | 'idleMemoryMb'>> {
  const first = await leaseFrom(bench)
  first.connection.close()
  const { times } = await measureLeases(bench, { rounds: rounds, pauseMs: 150 })
  await pause(1_000)
  const before = await readUsedBytes(bench.volumePath)
  const held = []
  for (let count = 0; count < heldForSpace; count += 1) held.push(await leaseFrom(bench))
  await pause(300)
  const exclusive = ((await readUsedBytes(bench.volumePath)) - before) / heldForSpace
  const memory = held.map(({ answer }) => readServerMemory(Number(answer.variables.PGPORT)))
  for (const { connection } of held) connection.close()
  return { coldMs: median(times), exclusiveKb: exclusive / 1024, idleMemoryMb: median(memory) / 1024 ** 2 }
}

/** The same server, the same data: `CREATE DATABASE … TEMPLATE`, then connect and query. */
async function measureDatabases(bench: Bench): Promise<Pick<BranchFigures, 'walLogMs' | 'fileCopyMs'>> {
  const { connection, url } = await leaseFrom(bench)
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  const admin = new pg.Client(maintenance.href)
  await admin.connect()
  const measure = async (strategy: string) => {
    const times: number[] = []
    for (let round = 0; round < (bench.sizeMb > 500 ? 3 : 7); round += 1) {
      const copy = new URL(url)
      copy.pathname = `/copy_${round}`
      const create = async () => {
        await admin.query(`CREATE DATABASE copy_${round} TEMPLATE bench STRATEGY ${strategy}`)
        await query(copy.href, 'SELECT 1 FROM t WHERE id = 1')
      }
      times.push(await time(create))
      await admin.query(`DROP DATABASE copy_${round}`)
    }
    return median(times)
  }
  const figures = { walLogMs: await measure('WAL_LOG'), fileCopyMs: await measure('FILE_COPY') }
  await admin.end()
  connection.close()
  return figures
}

export async function measureWarm(bench: Bench): Promise<WarmFigures> {
  const first = await leaseFrom(bench)
  first.connection.close()
  await pause(1_500)
  const { times, again } = await measureLeases(bench, { rounds: rounds * 2, pauseMs: 250 })
  const cpuBefore = readCpuMs()
  let left = refillBranches
  const take = async () => {
    while (left > 0) {
      left -= 1
      const { connection } = await leaseFrom(bench)
      connection.close()
    }
  }
  const refillMs = await time(() => Promise.all([take(), take(), take()]))
  await pause(500)
  const cpu = (readCpuMs() - cpuBefore) / refillBranches
  const status = await readStatus()
  const project = status.projects.find(({ rootDir }) => rootDir === bench.rootDir)
  return {
    warmP50Ms: median(times),
    warmP95Ms: percentile(times, 0.95),
    reconnectMs: median(again),
    refillPerSecond: (refillBranches / refillMs) * 1000,
    cpuPerBranchMs: cpu,
    removeMs: median(project?.removeMs ?? []),
  }
}

async function readStatus(): Promise<Awaited<ReturnType<Connection['call']['status']>>> {
  const connection = await connectSupervisor({ start: false })
  const status = await connection.call.status()
  connection.close()
  return status
}

async function stop(): Promise<void> {
  try {
    const connection = await connectSupervisor({ start: false })
    await connection.call.shutdown()
    connection.close()
  } catch {
    // None is running.
  }
  await pause(1_000)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
