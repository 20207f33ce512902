import { PgBranchError } from '../lib/errors.ts'
import { withSentinel } from '../url/sentinel.ts'
import { nameArgument } from './branch-list.ts'
import { callForBranch, configArgument, createBranchRef, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { executeCommand } from './execute-command.ts'
import { print, printJson } from './print.ts'

export const urlCommand: Command = createCommand({
  meta: { name: 'url', description: 'Print the URL of a branch, and nothing else' },
  args: {
    ...nameArgument,
    env: { type: 'boolean', description: 'All variables, as lines for a .env file', default: false },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    const { variables } = await callForBranch(createBranchRef(args), (call, ref) => call.getBranch(ref))
    if (args.json) printJson(variables)
    else if (args.env) print(Object.entries(variables).map(formatVariable).join('\n'))
    else print(variables.DATABASE_URL ?? '')
  },
  examples: [
    ['psql "$(pg-branch branch url dev)"', 'any client'],
    ['pg-branch branch url dev --env > .env.local', 'all variables, for tools that read them from a file'],
  ],
})

export const psqlCommand: Command = createCommand({
  meta: { name: 'psql', description: 'Open a branch in psql; what follows two dashes is psql’s' },
  args: { ...nameArgument, ...configArgument },
  async run({ args, rawArgs }) {
    const { variables } = await callForBranch(createBranchRef(args), (call, ref) => call.getBranch(ref))
    // What looks for programs is slow to load, and `url` wants to be quick.
    const { listDirsWith } = await import('../postgres/known-places.ts')
    const [dir] = listDirsWith('psql')
    if (dir === undefined) {
      throw new PgBranchError('there is no psql on this machine', {
        code: 'PGB_COMMAND_NOT_FOUND',
        hint: 'Install it (Debian: apt install postgresql-client; macOS: brew install libpq), or give another client the URL of: pg-branch branch url',
      })
    }
    const separator = rawArgs.indexOf('--')
    const rest = separator === -1 ? [] : rawArgs.slice(separator + 1)
    // The variables say all: the password stands in no list of processes.
    process.exitCode = await executeCommand([`${dir}/psql`, ...rest], { ...withSentinel(process.env), ...variables })
  },
  wordsHint: 'What is for psql comes after two dashes.',
  examples: [[`pg-branch branch psql dev -- -c 'SELECT count(*) FROM users'`, 'one query']],
})

function formatVariable([name, value]: [string, string]): string {
  return `${name}=${/^[\w./:@?&=%+-]*$/.test(value) ? value : JSON.stringify(value)}`
}
