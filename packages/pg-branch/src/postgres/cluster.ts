import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError } from '../lib/errors.ts'
import { createDiskFullError } from '../lib/system-errors.ts'
import { createLog } from '../lib/log.ts'
import { readServerFile } from '../lib/open-server-file.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { signalProcess } from '../lib/processes.ts'
import type { PostgresBinaries } from './contract.ts'
import { findFreePort } from './port.ts'
import { makeSocketDir } from './socket-dir.ts'

const log = createLog('cluster')

/**
 * A running postmaster. States: *starting* (in `startCluster`) → *running* → *stopped*. It leaves
 * *running* by `stop`, or by itself, which `exited` tells.
 */
export interface Cluster {
  readonly pid: number
  readonly port: number
  readonly dataDir: string
  /** Host by which a client of ours is let in as any role, without a password. */
  readonly socketHost: string
  /** Resolves when the postmaster has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** `discard`: at once, the data is not needed again (SIGQUIT). `clean`: with a checkpoint (SIGINT). */
  stop(mode: 'discard' | 'clean'): Promise<void>
}

/** Names the data directory to whatever a server starts: a program that SQL has started may outlive it. */
export const dataVariable = 'PG_BRANCH_DATA'

export interface StartOptions {
  binaries: PostgresBinaries
  dataDir: string
  logFile: string
  /** Settings for this start only; they win over the configuration file. */
  settings?: Record<string, string>
  timeoutMs?: number
  /** Default: a free one. */
  port?: number
}

/** Ports are looked up and then bound by another process: somebody may be faster. */
const portAttempts = 5
const stopTimeoutMs = { discard: 5_000, clean: 120_000 }

/**
 * Starts a postmaster on a free loopback port, and on a socket in a directory beside its data that only its own
 * user can enter, and waits until it accepts connections.
 *
 * @throws PgBranchError `PGB_BRANCH_START` with the end of the server's log, `PGB_PORT`, `PGB_DISK_FULL`.
 */
export async function startCluster(options: StartOptions): Promise<Cluster> {
  for (let attempt = 1; ; attempt += 1) {
    const cluster = launch(options, options.port ?? (await findFreePort()))
    const failure = await waitUntilReady(cluster, options)
    if (failure === undefined) return cluster
    await cluster.stop('discard')
    const taken = /could not bind|Address already in use/.test(failure)
    log('attempt %d on port %d failed: %s', attempt, cluster.port, failure)
    if (taken && attempt < portAttempts) continue
    if (/No space left on device|Disk quota exceeded/.test(failure)) {
      throw createDiskFullError(` for ${options.dataDir}`)
    }
    throw new PgBranchError(`Postgres did not start in ${options.dataDir}:\n${failure}`, {
      code: taken ? 'PGB_PORT' : 'PGB_BRANCH_START',
      hint: 'The lines above are from the server itself. Settings of your own (`postgres.settings`) are the most frequent cause.',
    })
  }
}

function launch({ binaries, dataDir, logFile, settings = {} }: StartOptions, port: number): Cluster {
  const identity = getServerIdentity()
  const logFd = openSync(logFile, 'w', 0o600)
  const socket = makeSocketDir(dataDir)
  const overrides = Object.entries({ ...settings, unix_socket_directories: socket.setting }).flatMap(
    ([name, value]) => ['-c', `${name}=${value}`],
  )
  let child: ChildProcess
  try {
    child = spawn(join(binaries.binDir, 'postgres'), ['-D', dataDir, '-p', String(port), ...overrides], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C', [dataVariable]: dataDir },
      stdio: ['ignore', logFd, logFd],
      ...identity,
    })
  } finally {
    closeSync(logFd)
  }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const pid = child.pid ?? 0
  let hasExited = false
  void exited.then(() => (hasExited = true))
  return {
    pid,
    port,
    dataDir,
    socketHost: socket.getHost(pid),
    exited,
    async stop(mode) {
      if (hasExited || pid === 0) return exited
      signalProcess(pid, mode === 'discard' ? 'SIGQUIT' : 'SIGINT')
      const timer = setTimeout(() => signalProcess(pid, 'SIGKILL'), stopTimeoutMs[mode])
      await exited
      clearTimeout(timer)
    },
  }
}

/** @returns undefined once it accepts connections, else what went wrong. */
async function waitUntilReady(cluster: Cluster, options: StartOptions): Promise<string | undefined> {
  const deadline = performance.now() + (options.timeoutMs ?? 60_000)
  let exited = false
  void cluster.exited.then(() => (exited = true))
  while (!isReady(options.dataDir, cluster.pid)) {
    if (exited) return readLogEnd(options.logFile) || 'the server ended without a word'
    if (performance.now() > deadline) return `not ready in time\n${readLogEnd(options.logFile)}`
    await sleep(1)
  }
  return undefined
}

/** postmaster.pid: first line the pid, last the state ("ready"); source: utils/pidfile.h of Postgres. */
function isReady(dataDir: string, pid: number): boolean {
  const lines = readPidFile(dataDir)
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

/** @returns the lines of a server's postmaster.pid; none if there is no such file. */
export function readPidFile(dataDir: string): string[] {
  const text = readServerFile(join(dataDir, 'postmaster.pid'), { maxBytes: 4_096 })
  return text === '' ? [] : text.split('\n')
}

/** @returns the last lines of a server's log. */
export function readLogEnd(logFile: string, lines = 12): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}
