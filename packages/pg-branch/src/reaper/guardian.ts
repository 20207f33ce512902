import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { locateModule } from '../lib/paths.ts'
import { signalProcess } from '../lib/processes.ts'

/**
 * Starts a tiny process (a shell that waits, about 1 MB) which runs the reaper as soon as this one
 * dies in any way, SIGKILL included: its standard input then closes. Without it, servers of a killed
 * supervisor would run on until somebody starts the next.
 *
 * @returns a function that ends it, for an orderly exit.
 */
export function startGuardian({ homeDir, logFd }: { homeDir: string; logFd: number }): () => void {
  const reaper = fileURLToPath(locateModule('./reaper-main', import.meta.url))
  const script = 'read -r word; [ "$word" = bye ] || exec "$0" "$@"'
  const child = spawn('/bin/sh', ['-c', script, process.execPath, reaper], {
    // Not in the process group of its charge: whoever kills that one must not take this one too.
    detached: true,
    stdio: ['pipe', logFd, logFd],
    env: { ...process.env, PG_BRANCH_HOME: homeDir },
    cwd: '/',
  })
  child.on('error', () => {})
  child.stdin?.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as { unref(): void } | null)?.unref()
  return () => {
    if (child.pid !== undefined) signalProcess(child.pid, 'SIGKILL')
  }
}
