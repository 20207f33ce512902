import { freemem } from 'node:os'
import { execa } from 'execa'
import type { System } from './contract.ts'

/** Where ps(1) does not run, a process is known by its number alone. */
const unknownStart = 'unknown'

/** What POSIX has: ps(1), and lsof(1) where it is there. macOS, the BSDs, and a Linux that hides /proc. */
export function createPortableSystem(): System {
  return {
    memoryRoot: undefined,
    readAvailableMemoryBytes: async () => freemem(),
    maxSocketPathBytes: 103,
    getWorkingDirectoryLink: () => undefined,
    processes: {
      async readStartTime(pid) {
        const line = await runPs(['-o', 'state=,lstart=', '-p', String(pid)])
        if (line === undefined) return unknownStart
        const [, state, start] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(line) ?? []
        return state === undefined || state.startsWith('Z') ? undefined : start
      },
      async readStates(pids) {
        const lines = await runPs(['-o', 'pid=,state=', '-p', pids.join(',')])
        return new Map(splitLines(lines).map(([pid, state = '']) => [Number(pid), state.slice(0, 1)]))
      },
      async listChildren(pid) {
        const lines = await runPs(['-A', '-o', 'pid=,ppid='])
        return splitLines(lines).flatMap(([child, parent]) => (Number(parent) === pid ? [Number(child)] : []))
      },
      async isWorkingIn(pid, dir) {
        const { stdout } = await execa('lsof', ['-a', '-p', String(pid), '-d', 'cwd', '-Fn'], { reject: false })
        if (typeof stdout === 'string' && stdout.includes('\n')) return stdout.split('\n').includes(`n${dir}`)
        // A server of ours is started with the path of its data.
        const command = await runPs(['-ww', '-o', 'command=', '-p', String(pid)])
        return command?.includes(` ${dir} `) === true
      },
      async listStartedWith(text) {
        // With -E (macOS, the BSDs) or e (Linux) variables follow the command, of one's own processes.
        const option = process.platform === 'linux' ? 'e' : '-E'
        const lines = await runPs(['-A', option, '-ww', '-o', 'pid=,command='])
        return splitLines(lines).flatMap(([pid, ...words]) =>
          words.some((word) => word.startsWith(text)) ? [Number(pid)] : [],
        )
      },
    },
  }
}

/** @returns what ps(1) prints, which is nothing where no process is meant; undefined if it does not run. */
async function runPs(args: string[]): Promise<string | undefined> {
  // Times are printed in the zone and the language of whoever asks.
  const { exitCode, stdout } = await execa('ps', args, { reject: false, env: { LC_ALL: 'C', TZ: 'UTC' } })
  if (exitCode === undefined) return undefined
  return exitCode === 0 || stdout.trim() !== '' || exitCode === 1 ? stdout : undefined
}

function splitLines(lines: string | undefined): string[][] {
  return (lines ?? '').split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim().split(/\s+/)]))
}
