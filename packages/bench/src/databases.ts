import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openBranch } from 'pg-branch/node'
import { createSeed, inOwnHome, measureWarm, type WarmFigures } from './branches.ts'

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
  return inOwnHome(async (dir) => {
    await writeProject(join(dir, 'server'), {
      volume: { path: volumePath },
      pool: { size: 0 },
      postgres: { settings: { max_connections: 100 } },
    })
    await using server = await openBranch({ rootDir: join(dir, 'server') })
    const config = { server: server.url, pool: { size: 3 }, seed: [{ kind: 'sql', globs: ['*.sql'] }] }
    await writeProject(join(dir, 'app'), config, createSeed(sizeMb))
    return { fileSystem, sizeMb, ...(await measureWarm({ rootDir: join(dir, 'app'), volumePath, sizeMb })) }
  })
}

async function writeProject(dir: string, config: object, seed?: string): Promise<void> {
  await mkdir(dir)
  await writeFile(join(dir, 'pg-branch.config.json'), JSON.stringify({ seed: [], ...config }))
  if (seed !== undefined) await writeFile(join(dir, '1.sql'), seed)
}
