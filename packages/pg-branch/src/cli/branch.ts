import { createCommand, type Command } from './command.ts'

export const branchCommand: Command = createCommand({
  meta: {
    name: 'branch',
    description: 'Named branches: a database of your own for an hour, a pull request, or local development',
  },
  subCommands: {
    create: () => import('./branch-create.ts').then((module) => module.createBranchCommand),
    fork: () => import('./branch-create.ts').then((module) => module.forkCommand),
    ls: () => import('./branch-list.ts').then((module) => module.listCommand),
    show: () => import('./branch-list.ts').then((module) => module.showCommand),
    url: () => import('./branch-url.ts').then((module) => module.urlCommand),
    psql: () => import('./branch-url.ts').then((module) => module.psqlCommand),
    snapshot: () => import('./branch-states.ts').then((module) => module.snapshotCommand),
    restore: () => import('./branch-states.ts').then((module) => module.restoreCommand),
    rm: () => import('./branch-states.ts').then((module) => module.removeCommand),
    diff: () => import('./branch-diff.ts').then((module) => module.diffCommand),
  },
})
