import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { execa } from 'execa'
import { findPids, listPids, readProcess, readStat } from './processes.ts'

/** The system calls with which something is made, published or removed. */
const steps = 'mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,symlink,symlinkat,link,linkat'

/** Processes that are to be killed should do their file work in one thread, which is where calls are counted. */
export const oneThread = { UV_THREADPOOL_SIZE: '1' }

export interface ArmedKill {
  /** Lets them go. @returns whether one was killed. */
  disarm(): Promise<boolean>
}

/**
 * Kills a process, and those that it has started with Node for its files, with SIGKILL at the `nth` file-system step
 * that one makes from now on: strace does.
 */
export async function armKill(pid: number, nth: number): Promise<ArmedKill> {
  const hands = findPids((other) => {
    const isChild = readStat(other)[1] === String(pid)
    return isChild && readProcess(other, 'cmdline').includes('server-files-main')
  })
  await ensureDebianPackages(['/usr/bin/strace'], ['strace'])
  const tracer = execa(
    'strace',
    [
      '-f',
      '-o',
      '/dev/null',
      '-e',
      `trace=${steps}`,
      '-e',
      `inject=${steps}:signal=KILL:when=${nth}`,
      ...[pid, ...hands].flatMap((traced) => ['-p', String(traced)]),
    ],
    { reject: false, stdout: 'ignore' },
  )
  // It says "strace: Process 123 attached with 8 threads", or why it cannot.
  const [line] = (await once(createInterface(tracer.stderr), 'line')) as [string]
  if (!line.includes('attached')) throw new Error(line)
  return {
    async disarm() {
      // One that lost its process ends by itself, a moment later.
      const isOver = await Promise.race([
        tracer.then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200)),
      ])
      tracer.kill('SIGINT')
      await tracer
      return isOver || hands.some((hand) => !listPids().includes(hand))
    },
  }
}
