import { readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { PgBranchError } from '../lib/errors.ts'
import { signalProcess, waitUntil } from '../lib/processes.ts'

const stopTimeoutMs = 5_000

/**
 * Stops all processes of a server where they are, so that its files stand still.
 *
 * The postmaster goes first: then no new ones come. A process that waits for the disk stops when it has
 * been served.
 *
 * @returns what lets them go on.
 * @throws PgBranchError `PGB_SNAPSHOT` if one does not stop; then they go on.
 */
export async function pauseCluster(postmasterPid: number): Promise<() => void> {
  const resume = await pauseProcesses([postmasterPid])
  try {
    const resumeChildren = await pauseProcesses(await listChildren(postmasterPid))
    return () => {
      resumeChildren()
      resume()
    }
  } catch (error) {
    resume()
    throw error
  }
}

/** Stops some processes of a server. @returns what lets them go on. @throws PgBranchError `PGB_SNAPSHOT`. */
export async function pauseProcesses(pids: number[]): Promise<() => void> {
  const resume = () => {
    for (const pid of pids) signalProcess(pid, 'SIGCONT')
  }
  try {
    await stopAll(pids)
    return resume
  } catch (error) {
    resume()
    throw error
  }
}

/** Lets a server go on that somebody has paused who is gone. */
export async function resumeCluster(postmasterPid: number): Promise<void> {
  const children = await listChildren(postmasterPid).catch(() => [])
  for (const pid of [...children, postmasterPid]) signalProcess(pid, 'SIGCONT')
}

async function stopAll(pids: number[]): Promise<void> {
  for (const pid of pids) signalProcess(pid, 'SIGSTOP')
  const areStopped = async () => {
    const states = await Promise.all(pids.map((pid) => readState(pid)))
    return states.every((state) => state === undefined || /^[TtZX]/.test(state))
  }
  if (await waitUntil(areStopped, { timeoutMs: stopTimeoutMs, intervalMs: 1 })) return
  throw new PgBranchError('a process of the branch does not stop, so that its files do not stand still', {
    code: 'PGB_SNAPSHOT',
    hint: 'It waits for the disk. Is the volume overloaded, or full?',
  })
}

async function listChildren(parent: number): Promise<number[]> {
  try {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')
    return children.split(' ').flatMap((pid) => (pid === '' ? [] : [Number(pid)]))
  } catch {
    // Not Linux, or a kernel without this file.
    const { stdout } = await execa('ps', ['-A', '-o', 'pid=,ppid='])
    const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    return pairs.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []))
  }
}

/** @returns the state's letter as ps(1) has it, undefined if there is no such process. */
async function readState(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const { stdout } = await execa('ps', ['-o', 'state=', '-p', String(pid)], { reject: false })
    return stdout.trim() || undefined
  }
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2)[0]
  } catch {
    return undefined
  }
}
