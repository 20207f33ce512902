import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { defineCommand } from 'citty'
import { PgBranchError } from '../lib/errors.ts'
import { openBranch } from '../runner/open-branch.ts'
import { withSentinel } from '../url/sentinel.ts'
import type { Command } from './command.ts'

/** A terminal sends these to the command as well as to us: passed on, they would arrive twice. */
const fromTerminal = ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const
const forwarded = [...fromTerminal, 'SIGTERM'] as const

export const runCommand: Command = defineCommand({
  meta: {
    name: 'run',
    description: 'Run a command with a branch of its own: pg-branch run -- pytest -x',
  },
  args: {
    config: { type: 'string', description: 'Configuration file. Default: the nearest one upwards' },
    keep: { type: 'boolean', description: 'Keep the branch for a while if the command fails', default: false },
  },
  async run({ args, rawArgs }) {
    const separator = rawArgs.indexOf('--')
    const [file, ...rest] = separator === -1 ? [] : rawArgs.slice(separator + 1)
    if (file === undefined) {
      throw new PgBranchError('there is no command to run', {
        code: 'PGB_ARGUMENT',
        hint: 'Write it after two dashes: pg-branch run -- pytest -x',
      })
    }
    const branch = await openBranch({ config: args.config, holder: [file, ...rest].join(' ') })
    let exitCode: number | undefined
    try {
      exitCode = await execute([file, ...rest], { ...withSentinel(process.env), ...branch.variables })
      process.exitCode = exitCode
    } finally {
      const failed = args.keep && exitCode !== 0 ? [file, ...rest].join(' ') : undefined
      await branch.close({ failed })
    }
  },
}) as unknown as Command

/** @returns the exit code as a shell would tell it: 128 and the signal's number for a command that was killed. */
function execute([file = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<number> {
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
