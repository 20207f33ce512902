import { PgBranchError } from '../lib/errors.ts'
import { openBranch } from '../runner/open-branch.ts'
import { withSentinel } from '../url/sentinel.ts'
import { createCommand, type Command } from './command.ts'
import { executeCommand } from './execute-command.ts'

export const runCommand: Command = createCommand({
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
      exitCode = await executeCommand([file, ...rest], { ...withSentinel(process.env), ...branch.variables })
      process.exitCode = exitCode
    } finally {
      const failed = args.keep && exitCode !== 0 ? [file, ...rest].join(' ') : undefined
      await branch.close({ failed })
    }
  },
  wordsHint: 'Write the command after two dashes: pg-branch run -- pytest -x',
  examples: [
    ['pg-branch run -- pytest -x', 'tests in any language: DATABASE_URL and PG* are set'],
    ['pg-branch run --keep -- npm run e2e', 'to look at what a failure left'],
  ],
})
