import { readFile, readdir, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { getErrorCode } from './errors.ts'

/** Names one process for good: a pid alone may be reused by a stranger. */
export interface ProcessIdentity {
  pid: number
  /** Start time in the kernel's own form; empty where the platform does not tell (not Linux). */
  startedAt: string
}

/** @returns whether a process with this pid exists, also one that is not ours to signal. */
export function isPidAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return getErrorCode(error) === 'EPERM'
  }
}

/** @returns field 22 of /proc/<pid>/stat (see proc(5)), or '' where there is none. */
async function readStartTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; it only waits for its parent to notice.
    return fields[0] === 'Z' ? '' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

export async function identifyProcess(pid: number): Promise<ProcessIdentity> {
  return { pid, startedAt: await readStartTime(pid) }
}

export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  if (!isPidAlive(identity.pid)) return false
  if (process.platform !== 'linux') return true
  return identity.startedAt !== '' && (await readStartTime(identity.pid)) === identity.startedAt
}

/** @returns the working directory of a process (Linux), or undefined where it cannot be told. */
export async function readWorkingDirectory(pid: number): Promise<string | undefined> {
  try {
    return await readlink(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/**
 * @param text what one of a process's variables begins with, name and all.
 * @returns the processes that began with such a variable (Linux; none where it cannot be told).
 */
export async function listProcessesWith(text: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const isMarked = async (pid: number) => {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    return `\0${environment}`.includes(`\0${text}`)
  }
  const found: number[] = []
  for (const pid of pids) if (await isMarked(pid)) found.push(pid)
  return found
}

/** Sends `signal` and swallows only "no such process". A negative pid means a process group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (getErrorCode(error) !== 'ESRCH') throw error
  }
}

/** Waits until `isDone` holds. @returns false if `timeoutMs` passed first. */
export async function waitUntil(
  isDone: () => boolean | Promise<boolean>,
  { timeoutMs, intervalMs = 5 }: { timeoutMs: number; intervalMs?: number },
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!(await isDone())) {
    if (performance.now() > deadline) return false
    await sleep(intervalMs)
  }
  return true
}
