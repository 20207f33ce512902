import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { PgBranchError } from '../lib/errors.ts'

/** A terminal sends these to the command as well as to us: passed on, they would arrive twice. */
const fromTerminal = ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const
const forwarded = [...fromTerminal, 'SIGTERM'] as const

/** @returns the exit code as a shell would tell it: 128 and the signal's number for a command that was killed. */
export function executeCommand([file = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(file, args, { stdio: 'inherit', env })
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)
  const forward = (signal: NodeJS.Signals) => {
    if (!hasTerminal || !fromTerminal.some((name) => name === signal)) child.kill(signal)
  }
  for (const signal of forwarded) process.on(signal, forward)
  return new Promise<number>((resolve, reject) => {
    child.once('error', (error) =>
      reject(
        new PgBranchError(`the command ${file} could not be started: ${error.message}`, {
          code: 'PGB_COMMAND_NOT_FOUND',
          hint: 'It is looked for in PATH; what needs a shell goes into: pg-branch run -- sh -c "…"',
          cause: error,
        }),
      ),
    )
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  }).finally(() => {
    for (const signal of forwarded) process.off(signal, forward)
  })
}
