import { existsSync } from 'node:fs'
import { readFile, readdir, readlink } from 'node:fs/promises'
import type { System } from './contract.ts'

const memoryRoot = '/dev/shm'

/** All that /proc tells; see proc(5). */
export function createLinuxSystem(): System {
  return {
    memoryRoot: existsSync(memoryRoot) ? memoryRoot : undefined,
    async readAvailableMemoryBytes() {
      const info = await readFile('/proc/meminfo', 'utf8')
      return Number(/^MemAvailable:\s+(\d+) kB/m.exec(info)?.[1] ?? 0) * 1024
    },
    maxSocketPathBytes: 107,
    getWorkingDirectoryLink: (pid) => `/proc/${pid}/cwd`,
    processes: {
      async readStartTime(pid) {
        const [state, ...fields] = await readStat(pid)
        // A zombie has ended; it only waits for its parent to notice. The 22nd field of all is the time.
        return state === 'Z' ? undefined : fields[18]
      },
      async readStates(pids) {
        const states = await Promise.all(pids.map(async (pid) => [pid, (await readStat(pid))[0]] as const))
        return new Map(states.flatMap(([pid, state]) => (state === undefined ? [] : [[pid, state]])))
      },
      async listChildren(pid) {
        const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => undefined)
        if (children !== undefined) return children.split(' ').flatMap((child) => (child === '' ? [] : [Number(child)]))
        // A kernel without this file.
        const parents = await Promise.all(
          (await listPids()).map(async (child) => [child, (await readStat(child))[1]] as const),
        )
        return parents.flatMap(([child, parent]) => (Number(parent) === pid ? [child] : []))
      },
      async isWorkingIn(pid, dir) {
        const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
        if (cwd !== undefined) return cwd === dir
        // In many containers root may not look into other users' processes. A server has the path as an argument.
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
        return command.split('\0').includes(dir)
      },
      async listStartedWith(text) {
        const found: number[] = []
        for (const pid of await listPids()) {
          const variables = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
          if (`\0${variables}`.includes(`\0${text}`)) found.push(pid)
        }
        return found
      },
    },
  }
}

async function listPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
}

/** @returns the third field of a process's `stat` and those after it: the name before them may hold anything. */
async function readStat(pid: number): Promise<string[]> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
