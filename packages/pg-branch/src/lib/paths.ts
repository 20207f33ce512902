import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { PgBranchError } from './errors.ts'
import { packageVersion } from './version.ts'

/** Where everything of one user and one version of pg-branch is. */
export interface StatePaths {
  /** Shared by all versions: holds the managed volume. */
  homeDir: string
  /** One supervisor's own: `<home>/<version>`. */
  stateDir: string
  supervisorFile: string
  logDir: string
  projectsDir: string
  /** Postgres binaries, copied where the server's user can read them. */
  binariesDir: string
  /** Dumps fetched from URLs. */
  downloadsDir: string
  /** Parts of templates that are being fetched. */
  chunksDir: string
}

/**
 * @param path from the file that asks, without its ending, e.g. `./store-main`.
 * @param from `import.meta.url` of that file.
 * @returns the URL of one of our own modules: `.ts` when run from source, else `.js`.
 */
export function locateModule(path: string, from: string): URL {
  return new URL(`${path}${from.endsWith('.ts') ? '.ts' : '.js'}`, from)
}

/**
 * @returns `PG_BRANCH_HOME`, or the user's cache directory. Root gets /var/cache: a server that runs
 * as another user could not enter root's home.
 */
export function getHomeDir(env: NodeJS.ProcessEnv = process.env): string {
  const explicit = env.PG_BRANCH_HOME
  if (explicit !== undefined && explicit !== '') {
    if (!isAbsolute(explicit)) {
      throw new PgBranchError(`PG_BRANCH_HOME is ${JSON.stringify(explicit)}, which is not an absolute path`, {
        code: 'PGB_HOME_UNUSABLE',
        hint: `Set it to an absolute path, for example ${JSON.stringify(resolve(explicit))}.`,
      })
    }
    return explicit
  }
  if (process.getuid?.() === 0) return '/var/cache/pg-branch'
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'pg-branch')
  const cacheHome = env.XDG_CACHE_HOME
  return join(cacheHome !== undefined && isAbsolute(cacheHome) ? cacheHome : join(homedir(), '.cache'), 'pg-branch')
}

export function getStatePaths(homeDir: string = getHomeDir()): StatePaths {
  const stateDir = join(homeDir, packageVersion)
  return {
    homeDir,
    stateDir,
    supervisorFile: join(stateDir, 'supervisor.json'),
    logDir: join(stateDir, 'logs'),
    projectsDir: join(stateDir, 'projects'),
    binariesDir: join(stateDir, 'postgres'),
    downloadsDir: join(stateDir, 'downloads'),
    chunksDir: join(stateDir, 'chunks'),
  }
}
