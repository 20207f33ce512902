import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PgBranchError } from '../lib/errors.ts'
import { measureAgeMs } from '../lib/file-clock.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import { withoutOwnSecrets } from '../lib/own-secrets.ts'
import { locateModule, type StatePaths } from '../lib/paths.ts'
import { deserializeError } from '../lib/serialized-error.ts'
import { withSentinel } from '../url/sentinel.ts'

/** The supervisor's program; `.ts` when run from source. */
const mainFile = fileURLToPath(locateModule('../daemon/main', import.meta.url))
/** For so long one client's attempt to start a supervisor keeps the others from trying too. */
const startClaimMs = 3_000
const maxLogBytes = 1024 * 1024

/**
 * Starts a supervisor, unless somebody else has just begun to.
 *
 * @param onFailure hears of one that has ended by an error, with what it said last.
 */
export function startSupervisor(paths: StatePaths, onFailure: (error: PgBranchError) => void): void {
  makePrivateDir(paths.homeDir, { enterable: true })
  makePrivateDir(paths.stateDir, { enterable: true })
  makePrivateDir(paths.logDir)
  if (!claimStart(join(paths.stateDir, 'starting'))) return
  const logFile = join(paths.logDir, 'supervisor.log')
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(logFile, `${logFile}.1`)
  const logFd = openSync(logFile, 'a', 0o600)
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = withoutOwnSecrets(withSentinel(process.env))
  const child = spawn(process.execPath, [mainFile], {
    detached: true,
    stdio: ['ignore', logFd, logFd],
    env: { ...env, PG_BRANCH_HOME: paths.homeDir, DEBUG: env.DEBUG ?? defaultDebug, DEBUG_COLORS: 'no' },
    cwd: paths.stateDir,
  })
  // One that ends well found another there, or is no longer needed.
  child.once('exit', (code) => code === 0 || onFailure(createStartError(logFile, `it ended with ${code}`)))
  child.once('error', (error) => onFailure(createStartError(logFile, error.message)))
  child.unref()
  closeSync(logFd)
}

/** A supervisor that cannot start says why in its last line. */
function createStartError(logFile: string, otherwise: string): PgBranchError {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n') : []
  const [, said] = /^pg-branch cannot start: (.*)$/.exec(lines.at(-1) ?? '') ?? []
  if (said !== undefined) return deserializeError(JSON.parse(said))
  return new PgBranchError(`the supervisor did not start: ${otherwise}\n${lines.slice(-5).join('\n')}`, {
    code: 'PGB_SUPERVISOR_START',
    hint: `Its log is ${logFile}.`,
  })
}

/** What the log always holds. */
const defaultDebug =
  'pg-branch:supervisor,pg-branch:project,pg-branch:template,pg-branch:reaper,pg-branch:pool,pg-branch:postgres'

/** Many workers find no supervisor at the same moment; one start is enough. */
function claimStart(claim: string): boolean {
  const ageMs = measureAgeMs(claim, { dir: dirname(claim) })
  // One from the future was made before the clock was put back.
  if (ageMs !== undefined && ageMs >= 0 && ageMs < startClaimMs) return false
  rmSync(claim, { recursive: true, force: true })
  try {
    mkdirSync(claim, { mode: 0o700 })
    return true
  } catch {
    return false
  }
}
