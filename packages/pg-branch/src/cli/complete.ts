import tab from '@bomb.sh/tab/citty'
import { defineCommand } from 'citty'
import { PgBranchError } from '../lib/errors.ts'
import { listBranches } from './branch-list.ts'
import { createCommand, type Command } from './command.ts'
import { registry } from './registry.ts'

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const

export const completeCommand: Command = createCommand({
  meta: { name: 'complete', description: 'Print a script for completion in your shell' },
  args: {
    shell: { type: 'positional', description: 'bash, zsh, fish or powershell', required: false },
  },
  async run(context) {
    const { shell } = context.args
    if (!context.rawArgs.includes('--') && !shells.some((name) => name === shell)) {
      throw new PgBranchError(`there is no completion for the shell ${JSON.stringify(shell ?? '')}`, {
        code: 'PGB_ARGUMENT',
        hint: `Give one of ${shells.join(', ')}.`,
      })
    }
    const subCommands = Object.fromEntries(Object.entries(registry).map(([name, { load }]) => [name, load]))
    const main = defineCommand({ meta: { name: 'pg-branch', description: 'pg-branch' }, subCommands })
    // Nothing is started for the sake of completion, and an error says nothing there.
    const names = await listBranches({ rootDir: process.cwd() }).catch(() => [])
    const suggest = (complete: (value: string, description: string) => void) => {
      for (const { name, baseDir } of names) complete(name, baseDir)
    }
    const named = { args: { name: suggest, from: suggest, before: suggest } }
    const commands = ['fork', 'show', 'url', 'psql', 'snapshot', 'restore', 'rm', 'diff']
    const branch = { subCommands: Object.fromEntries(commands.map((command) => [command, named])) }
    await tab(main, { subCommands: { branch } })
    const { complete } = main.subCommands as Record<string, { run(context: unknown): Promise<void> }>
    await complete?.run(context)
  },
  examples: [
    ['source <(pg-branch complete bash)', 'in ~/.bashrc'],
    ['source <(pg-branch complete zsh)', 'in ~/.zshrc'],
    ['pg-branch complete fish | source', 'in ~/.config/fish/config.fish'],
  ],
})
