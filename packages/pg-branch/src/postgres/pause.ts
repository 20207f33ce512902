import { PgBranchError } from '../lib/errors.ts'
import { signalProcess, waitUntil } from '../lib/processes.ts'
import { getSystem } from '../lib/system/get-system.ts'

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
    const resumeChildren = await pauseProcesses(await getSystem().processes.listChildren(postmasterPid))
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
  // Others mean groups, or everybody.
  if (!pids.every((pid) => Number.isInteger(pid) && pid > 1)) throw new Error('what is to be paused is no process')
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

/** @returns those of some processes that a server has started, whatever else is said to be one of its own. */
export async function keepOwn(pids: number[], postmasterPid: number): Promise<number[]> {
  const own = new Set(await getSystem().processes.listChildren(postmasterPid))
  return pids.filter((pid) => own.has(pid))
}

/** Lets a server go on that somebody has paused who is gone. */
export async function resumeCluster(postmasterPid: number): Promise<void> {
  const children = await getSystem()
    .processes.listChildren(postmasterPid)
    .catch(() => [])
  for (const pid of [...children, postmasterPid]) signalProcess(pid, 'SIGCONT')
}

async function stopAll(pids: number[]): Promise<void> {
  for (const pid of pids) signalProcess(pid, 'SIGSTOP')
  const areStopped = async () => {
    const states = await getSystem().processes.readStates(pids)
    return [...states.values()].every((state) => /^[TtZX]/.test(state))
  }
  if (await waitUntil(areStopped, { timeoutMs: stopTimeoutMs, intervalMs: 1 })) return
  throw new PgBranchError('a process of the branch does not stop, so that its files do not stand still', {
    code: 'PGB_SNAPSHOT',
    hint: 'It waits for the disk. Is the volume overloaded, or full?',
  })
}
