import { setTimeout as sleep } from 'node:timers/promises'
import { getErrorCode } from './errors.ts'
import { getSystem } from './system/get-system.ts'

/** Names one process for good: a pid alone may be reused by a stranger. */
export interface ProcessIdentity {
  pid: number
  /** When it began, in the system's own form; empty for one that is not there. */
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

export async function identifyProcess(pid: number): Promise<ProcessIdentity> {
  return { pid, startedAt: (await getSystem().processes.readStartTime(pid)) ?? '' }
}

export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  if (!isPidAlive(identity.pid)) return false
  return (await getSystem().processes.readStartTime(identity.pid)) === identity.startedAt
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
