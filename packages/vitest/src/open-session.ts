import { isMainThread } from 'node:worker_threads'
import { createSession, type Session } from 'pg-branch/runner'

/** Begins the session of an environment in this worker. */
export function openSession(options: unknown): Session {
  return createSession({
    options,
    // Workers of one run have the same main process: their parent, or the process whose threads they are.
    runId: String(isMainThread ? process.ppid : process.pid),
    // Vitest sets FORCE_TTY for its workers.
    isTerminal: process.env.FORCE_TTY === 'true' || process.stderr.isTTY,
    targets: [process.env],
  })
}
