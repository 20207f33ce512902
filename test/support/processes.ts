import { readFileSync, readdirSync } from 'node:fs'

/** @returns the processes of this machine. */
export function listPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** @returns those of which `isMeant` holds; one that ends while it is looked at is none. */
export function findPids(isMeant: (pid: number) => boolean): number[] {
  return listPids().filter((pid) => {
    try {
      return isMeant(pid)
    } catch {
      return false
    }
  })
}

/** @throws if the process has ended. */
export function readProcess(pid: number, file: 'cmdline' | 'environ' | 'stat'): string {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8')
}

/** @returns fields 3 and on of its `stat` (see proc(5)): the name before them may hold anything. @throws if it has ended. */
export function readStat(pid: number): string[] {
  return readProcess(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')
}
