import type { Command } from './command.ts'

interface Entry {
  description: string
  load(): Promise<Command>
}

/** Every command: what is shown of it without loading it, since the list of commands is wanted at once. */
export const registry: Record<string, Entry> = {
  init: {
    description: 'Set up a project: the configuration, and the line in the test runner’s',
    load: () => import('./init.ts').then((module) => module.initCommand),
  },
  branch: {
    description: 'Named branches: a database of your own for an hour, a pull request, or local development',
    load: () => import('./branch.ts').then((module) => module.branchCommand),
  },
  run: {
    description: 'Run a command with a branch of its own: pg-branch run -- pytest -x',
    load: () => import('./run.ts').then((module) => module.runCommand),
  },
  template: {
    description: 'What branches are made from: build, list, explain, share, remove',
    load: () => import('./template.ts').then((module) => module.templateCommand),
  },
  status: {
    description: 'Show the background process: templates, volume, pool, leases, branches',
    load: () => import('./status.ts').then((module) => module.statusCommand),
  },
  up: {
    description: 'Start the background process ahead of need, and keep it',
    load: () => import('./up.ts').then((module) => module.upCommand),
  },
  down: {
    description: 'End the background process, its servers and all branches; templates stay cached',
    load: () => import('./down.ts').then((module) => module.downCommand),
  },
  logs: {
    description: 'Show what the background process has written',
    load: () => import('./logs.ts').then((module) => module.logsCommand),
  },
  volume: {
    description: 'The managed copy-on-write volume (Linux)',
    load: () => import('./volume.ts').then((module) => module.volumeCommand),
  },
  gc: {
    description: 'Remove what nobody needs any more, or say what that is',
    load: () => import('./gc.ts').then((module) => module.gcCommand),
  },
  doctor: {
    description: 'Try all that could be used here, and say what is missing, left over or could be faster',
    load: () => import('./doctor.ts').then((module) => module.doctorCommand),
  },
  complete: {
    description: 'Print a script for completion in your shell: bash, zsh, fish, powershell',
    load: () => import('./complete.ts').then((module) => module.completeCommand),
  },
}
