import { fork } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PgBranchError } from '../lib/errors.ts'
import { locateModule } from '../lib/paths.ts'
import { isPidAlive, signalProcess } from '../lib/processes.ts'
import { createRpc, type Rpc } from '../lib/rpc.ts'
import type { StepProgress } from '../seed/contract.ts'
import type { BuilderEvents, BuilderFunctions } from './builder-protocol.ts'

const mainFile = fileURLToPath(locateModule('./builder-main', import.meta.url))

/** A running builder process. States: *running* → *ended*, by `stop` or by its own death, which rejects every pending call. */
export interface Builder {
  call: Rpc<BuilderFunctions, BuilderEvents>
  /** Rejects when the process has ended, for whatever reason. */
  died: Promise<never>
  onProgress(listener: (progress: StepProgress) => void): void
  /** Ends the process and every command that it started. */
  stop(): Promise<void>
}

/** @param env the variables of the client for whom is being built, without any database of the user's. */
export function startBuilder({ env, logFile, cwd }: { env: NodeJS.ProcessEnv; logFile: string; cwd: string }): Builder {
  const logFd = openSync(logFile, 'a', 0o600)
  // Its own process group: commands of the user's are ended with it.
  const { PG_BRANCH_UMASK } = process.env
  const child = fork(mainFile, [], {
    env: { ...env, PG_BRANCH_UMASK },
    cwd,
    detached: true,
    execArgv: [],
    stdio: ['ignore', logFd, logFd, 'ipc'],
  })
  closeSync(logFd)
  let listener: (progress: StepProgress) => void = () => {}
  const call = createRpc<BuilderFunctions, BuilderEvents>({
    functions: { onStepProgress: (progress) => listener(progress) },
    post: (text) => {
      if (child.connected) child.send(text)
    },
    on: (receive) => child.on('message', (text) => receive(text as string)),
  })
  const pid = child.pid
  const died = new Promise<never>((_resolve, reject) => {
    const finish = (why: string) => {
      const error = new PgBranchError(`the process that runs your configuration and seed ended (${why})`, {
        code: 'PGB_STEP_FAILED',
        hint: `Did it call process.exit, or run out of memory? Its output is in ${logFile}.`,
      })
      call.$close(error)
      reject(error)
    }
    child.once('error', (error) => finish(error.message))
    child.once('exit', (code, signal) => finish(signal ?? `exit code ${code}`))
  })
  const exited = died.catch(() => {})
  return {
    call,
    died,
    onProgress(next) {
      listener = next
    },
    async stop() {
      if (pid === undefined) return
      signalProcess(-pid, 'SIGKILL')
      if (isPidAlive(pid)) await exited
    },
  }
}
