import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

export async function time(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await action()
  return performance.now() - startedAt
}

/** Bytes in use on the file system of `path`, after everything was written out. */
export async function readUsedBytes(path: string): Promise<number> {
  execFileSync('sync', ['-f', path])
  const { blocks, bfree, bsize } = await statfs(path)
  return (blocks - bfree) * bsize
}

/** Milliseconds of CPU that the whole machine has spent since it started (user, nice, system; proc(5)). */
export function readCpuMs(): number {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '').split(/\s+/).slice(1, 4)
  return fields.reduce((sum, field) => sum + Number(field), 0) * 10
}

/** Proportional set size of the server on `port` and its children, in bytes. */
export function readServerMemory(port: number): number {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8')
    } catch {
      return ''
    }
  }
  const server = processes.find((pid) => read(pid, 'cmdline').split('\0').slice(-3, -1).join(' ') === `-p ${port}`)
  const family = processes.filter(
    (pid) => pid === server || / (\d+) /.exec(read(pid, 'stat').replace(/^.*\) \S/, ''))?.[1] === server,
  )
  return family.reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? 0) * 1024, 0)
}
