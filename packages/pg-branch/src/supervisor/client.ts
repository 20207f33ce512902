import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { PgBranchError, getErrorCode } from '../lib/errors.ts'
import { getStatePaths, makePrivateDir, type StatePaths } from '../lib/paths.ts'
import { createSocketRpc, type Rpc } from '../lib/rpc.ts'
import { packageVersion } from '../lib/version.ts'
import { withSentinel } from '../url/sentinel.ts'
import type { ClientFunctions, ProgressReport, SupervisorFunctions } from './protocol.ts'

export { PgBranchError } from '../lib/errors.ts'
export { formatBytes, formatDuration } from '../lib/format.ts'
export { withSentinel } from '../url/sentinel.ts'
export type { LeaseAnswer, LeaseRequest, ProgressReport, ReleaseAnswer, SupervisorStatus } from './protocol.ts'

/** An open connection to the supervisor. What is leased over it is returned when it closes. */
export interface Connection {
  call: Rpc<SupervisorFunctions, ClientFunctions>
  /** An open connection does not keep a process alive, unless it waits for something. */
  hold(): void
  unhold(): void
  close(): void
}

/** The supervisor's program, beside this file; `.ts` when run from source. */
const mainFile = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url))
const startTimeoutMs = 20_000
/** For so long one client's attempt to start a supervisor keeps the others from trying too. */
const startClaimMs = 3_000
const maxLogBytes = 1024 * 1024

/**
 * Connects to the supervisor of this user and version, starting it if there is none.
 *
 * @throws PgBranchError `PGB_SUPERVISOR_START` with the place of its log, `PGB_SUPERVISOR_VERSION`.
 */
export async function connectSupervisor(
  options: { onProgress?: (report: ProgressReport) => void; start?: boolean } = {},
): Promise<Connection> {
  const paths = getStatePaths()
  const deadline = performance.now() + startTimeoutMs
  for (;;) {
    const socket = await tryConnect(paths.socketPath)
    const connection = socket === undefined ? undefined : await greet(socket, options.onProgress ?? (() => {}))
    if (connection !== undefined) return connection
    if (options.start === false) {
      throw new PgBranchError('no supervisor is running', {
        code: 'PGB_SUPERVISOR_GONE',
        hint: 'The next test run starts one.',
      })
    }
    if (performance.now() > deadline) {
      throw new PgBranchError(`the supervisor did not start within ${startTimeoutMs / 1000} s`, {
        code: 'PGB_SUPERVISOR_START',
        hint: `Its log is ${join(paths.logDir, 'supervisor.log')}.`,
      })
    }
    startSupervisor(paths)
    await sleep(10)
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error) => {
      const code = getErrorCode(error) ?? ''
      if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN'].includes(code)) resolve(undefined)
      else
        reject(
          new PgBranchError(`cannot connect to ${path}: ${error.message}`, {
            code: 'PGB_SUPERVISOR_GONE',
            cause: error,
          }),
        )
    })
  })
}

/** @returns undefined if the supervisor is just leaving: the next one must be asked. */
async function greet(socket: Socket, onProgress: (report: ProgressReport) => void): Promise<Connection | undefined> {
  const call = createSocketRpc<SupervisorFunctions, ClientFunctions>(socket, { onProgress })
  socket.on('error', () => {})
  socket.once('close', () => call.$close(createGoneError()))
  try {
    await call.hello({ version: packageVersion })
  } catch (error) {
    if (error instanceof PgBranchError && error.code === 'PGB_SUPERVISOR_GONE') return undefined
    throw error
  }
  return {
    call,
    hold: () => socket.ref(),
    unhold: () => socket.unref(),
    close: () => socket.destroy(),
  }
}

export function createGoneError(): PgBranchError {
  return new PgBranchError('the pg-branch supervisor ended', {
    code: 'PGB_SUPERVISOR_GONE',
    hint: 'It was stopped or killed during the run; the next run starts another and cleans up. Its log is in the state directory.',
  })
}

function startSupervisor(paths: StatePaths): void {
  makePrivateDir(paths.homeDir, { enterable: true })
  makePrivateDir(paths.stateDir, { enterable: true })
  makePrivateDir(paths.logDir)
  makePrivateDir(dirname(paths.socketPath))
  if (!claimStart(join(paths.stateDir, 'starting'))) return
  const logFile = join(paths.logDir, 'supervisor.log')
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(logFile, `${logFile}.1`)
  const logFd = openSync(logFile, 'a', 0o600)
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = withSentinel(process.env)
  const child = spawn(process.execPath, [mainFile], {
    detached: true,
    stdio: ['ignore', logFd, logFd],
    env: { ...env, PG_BRANCH_HOME: paths.homeDir, DEBUG: env.DEBUG ?? defaultDebug, DEBUG_COLORS: 'no' },
    cwd: paths.stateDir,
  })
  // Failing to start is noticed by nobody answering in time.
  child.on('error', () => {})
  child.unref()
  closeSync(logFd)
}

/** What the log always holds. */
const defaultDebug =
  'pg-branch:supervisor,pg-branch:project,pg-branch:template,pg-branch:reaper,pg-branch:pool,pg-branch:postgres'

/** Many workers find no supervisor at the same moment; one start is enough. */
function claimStart(claim: string): boolean {
  const ageMs = Date.now() - (statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  if (ageMs >= 0 && ageMs < startClaimMs) return false
  rmSync(claim, { recursive: true, force: true })
  try {
    mkdirSync(claim)
    return true
  } catch {
    return false
  }
}
