import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBranch } from 'pg-branch/node'
import { leaseFrom, measureWarm, stop, type WarmFigures } from './branches.ts'

/** Figures of the strategy `database`; times in milliseconds, medians unless named otherwise. */
export interface DatabaseFigures extends WarmFigures {
  fileSystem: string
  sizeMb: number
}

/** The server is a branch, on the volume, of its own kind; branches on it are databases. */
export async function measureDatabaseBranches(options: {
  fileSystem: string
  volumePath: string
  sizeMb: number
}): Promise<DatabaseFigures> {
  const { fileSystem, volumePath, sizeMb } = options
  const dir = await mkdtemp(join(tmpdir(), 'pgb-bench-'))
  const home = await mkdtemp(join(tmpdir(), 'pgb-bench-home-'))
  await chmod(home, 0o711)
  process.env.PG_BRANCH_HOME = home
  try {
    await writeProject(join(dir, 'server'), {
      volume: { path: volumePath },
      pool: { size: 0 },
      postgres: { settings: { max_connections: 100 } },
    })
    await using server = await openBranch({ rootDir: join(dir, 'server') })
    const rows = Math.max(1, Math.round((sizeMb * 1024 * 1024) / 1090))
    await writeProject(
      join(dir, 'app'),
      { server: server.url, pool: { size: 3 }, seed: [{ kind: 'sql', globs: ['*.sql'] }] },
      `CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, ${rows}) AS n;`,
    )
    const bench = { rootDir: join(dir, 'app'), volumePath, sizeMb }
    const first = await leaseFrom(bench)
    first.connection.close()
    return { fileSystem, sizeMb, ...(await measureWarm(bench)) }
  } finally {
    await stop()
    await rm(dir, { recursive: true })
    await rm(home, { recursive: true })
  }
}

async function writeProject(dir: string, config: object, seed?: string): Promise<void> {
  await mkdir(dir)
  await writeFile(join(dir, 'pg-branch.config.json'), JSON.stringify({ seed: [], ...config }))
  if (seed !== undefined) await writeFile(join(dir, '1.sql'), seed)
}
