import { createCommand, type Command } from './command.ts'

export const templateCommand: Command = createCommand({
  meta: { name: 'template', description: 'What branches are made from: build, list, explain, share, remove' },
  subCommands: {
    build: () => import('./template-build.ts').then((module) => module.buildCommand),
    why: () => import('./template-build.ts').then((module) => module.whyCommand),
    ls: () => import('./template-list.ts').then((module) => module.listCommand),
    show: () => import('./template-list.ts').then((module) => module.showCommand),
    pack: () => import('./template-share.ts').then((module) => module.packCommand),
    push: () => import('./template-share.ts').then((module) => module.pushCommand),
    pull: () => import('./template-share.ts').then((module) => module.pullCommand),
    rm: () => import('./template-list.ts').then((module) => module.removeCommand),
  },
})
