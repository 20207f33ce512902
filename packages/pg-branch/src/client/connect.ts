import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError, getErrorCode } from '../lib/errors.ts'
import { getStatePaths } from '../lib/paths.ts'
import { createSocketRpc, type Rpc } from '../lib/rpc.ts'
import { findSocketPath } from '../lib/socket-path.ts'
import { packageVersion } from '../lib/version.ts'
import type { ClientFunctions, ProgressReport, SupervisorFunctions } from '../protocol/protocol.ts'
import { startSupervisor } from './start.ts'

/** An open connection to the supervisor. What is leased over it is returned when it closes. */
export interface Connection {
  call: Rpc<SupervisorFunctions, ClientFunctions>
  /** An open connection does not keep a process alive, unless it waits for something. */
  hold(): void
  unhold(): void
  close(): void
}

const startTimeoutMs = 20_000

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
  let failure: PgBranchError | undefined
  for (;;) {
    const socketPath = findSocketPath(paths.stateDir)
    const socket = socketPath === undefined ? undefined : await tryConnect(socketPath)
    const connection = socket === undefined ? undefined : await greet(socket, options.onProgress ?? (() => {}))
    if (connection !== undefined) return connection
    if (options.start === false) throw createAbsentError(socket !== undefined)
    if (failure !== undefined) throw failure
    if (performance.now() > deadline) {
      throw new PgBranchError(`the supervisor did not start within ${startTimeoutMs / 1000} s`, {
        code: 'PGB_SUPERVISOR_START',
        hint: `Its log is ${join(paths.logDir, 'supervisor.log')}.`,
      })
    }
    startSupervisor(paths, (error) => (failure = error))
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
  const call = createSocketRpc<SupervisorFunctions, ClientFunctions>(
    socket,
    { onProgress },
    {
      onBroken(error) {
        call.$close(error)
        socket.destroy()
      },
    },
  )
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

/** @param hangsUp whether somebody was there, and did not answer. */
function createAbsentError(hangsUp: boolean): PgBranchError {
  if (!hangsUp) {
    return new PgBranchError('no supervisor is running', {
      code: 'PGB_SUPERVISOR_GONE',
      hint: 'The next test run starts one.',
    })
  }
  return new PgBranchError('the supervisor is there, but hangs up without an answer', {
    code: 'PGB_SUPERVISOR_GONE',
    hint: 'It is just ending, or may open no more files (ulimit -n): close connections that are not needed, or try again.',
  })
}
