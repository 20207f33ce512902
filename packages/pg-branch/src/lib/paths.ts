import { createHash } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { PgBranchError, describeError } from './errors.ts'
import { packageVersion } from './version.ts'

/** Linux allows 107 bytes in a unix socket's path, macOS 103 (sys/un.h). */
const maxSocketPathBytes = 100

/** Where everything of one user and one version of pg-branch is. */
export interface StatePaths {
  /** Shared by all versions: holds the managed volume. */
  homeDir: string
  /** One supervisor's own: `<home>/<version>`. */
  stateDir: string
  socketPath: string
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
    socketPath: getSocketPath(stateDir),
    supervisorFile: join(stateDir, 'supervisor.json'),
    logDir: join(stateDir, 'logs'),
    projectsDir: join(stateDir, 'projects'),
    binariesDir: join(stateDir, 'postgres'),
    downloadsDir: join(stateDir, 'downloads'),
    chunksDir: join(stateDir, 'chunks'),
  }
}

function getSocketPath(stateDir: string): string {
  const id = createHash('sha256').update(stateDir).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\pg-branch-${id}`
  const path = join(stateDir, 'run', 'supervisor.sock')
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path
  return join(tmpdir(), `pg-branch-${userInfo().uid}-${id}`, 'supervisor.sock')
}

/**
 * Makes a directory that no other user can list. Root's are also enterable (0711), since the server
 * runs as another user below them; what is secret below is 0700 itself.
 *
 * @throws PgBranchError `PGB_HOME_UNUSABLE` if it cannot be made or belongs to someone else.
 */
export function makePrivateDir(path: string, { enterable = false }: { enterable?: boolean } = {}): void {
  const uid = process.getuid?.()
  const mode = enterable && uid === 0 ? 0o711 : 0o700
  try {
    mkdirSync(path, { recursive: true, mode })
  } catch (error) {
    throw new PgBranchError(`cannot make the directory ${path}: ${describeError(error)}`, {
      code: 'PGB_HOME_UNUSABLE',
      hint: 'Set PG_BRANCH_HOME to a directory that you can write to.',
      cause: error,
    })
  }
  if (uid !== undefined && statSync(path).uid !== uid) {
    throw new PgBranchError(`${path} belongs to another user`, {
      code: 'PGB_HOME_UNUSABLE',
      hint: 'pg-branch keeps data and sockets only in directories of your own: remove it or set PG_BRANCH_HOME elsewhere.',
    })
  }
  const closed = enterable && uid === 0 ? findClosedDir(path) : undefined
  if (closed !== undefined) {
    throw new PgBranchError(`${closed}, above ${path}, can be entered by root alone, and servers run as another user`, {
      code: 'PGB_HOME_UNUSABLE',
      hint: `Let others pass through it (chmod o+x ${closed}), or set PG_BRANCH_HOME elsewhere.`,
    })
  }
}

/** @returns the directory above `path` that only root can pass through. */
function findClosedDir(path: string): string | undefined {
  for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
    const { uid, mode } = statSync(dir)
    if (uid === 0 && (mode & 0o011) === 0) return dir
  }
  return undefined
}
