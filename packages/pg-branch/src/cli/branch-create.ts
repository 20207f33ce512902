import pico from 'picocolors'
import type { CreateBranchAnswer } from '../protocol/named-protocol.ts'
import { parseLabels, parseTtl } from './arguments.ts'
import { describeExpiry } from './branch-list.ts'
import { callWithProgress, configArgument, createProjectRequest, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson, printNotices } from './print.ts'

const lifeArguments = {
  ttl: {
    type: 'string',
    description: 'How long it lives: 90s, 30m, 24h, 7d or never. Default: 24h',
    valueHint: 'time',
  },
  label: { type: 'string', description: 'Names and values to find it by: owner=me,pr=12', valueHint: 'labels' },
  ...configArgument,
  ...jsonArgument,
} as const

interface Life {
  ttl?: string | undefined
  label?: string | undefined
  config?: string | undefined
  json: boolean
}

export const createBranchCommand: Command = createCommand({
  meta: { name: 'create', description: 'Make a branch, unless there is one of that name; its URL stays the same' },
  args: {
    name: { type: 'positional', description: 'As a Git branch is called, e.g. dev or feature/login', required: true },
    from: {
      type: 'string',
      description: 'What it begins as: template (default), template:KEY, BRANCH or BRANCH@SNAPSHOT',
      valueHint: 'state',
    },
    ...lifeArguments,
  },
  run: ({ args }) => create(args.name, args.from, args),
  examples: [
    ['pg-branch branch create dev --ttl never', 'a development database, made from the seed'],
    ['DATABASE_URL=$(pg-branch branch url dev) npm run dev', 'and an application on it'],
    ['pg-branch branch create pr-12 --ttl 7d --label pr=12', 'for a preview environment'],
  ],
})

export const forkCommand: Command = createCommand({
  meta: { name: 'fork', description: 'Make a branch of a branch, or of a snapshot, as it is now' },
  args: {
    from: { type: 'positional', description: 'BRANCH, BRANCH@SNAPSHOT or template:KEY', required: true },
    name: { type: 'positional', description: 'Name of the new branch', required: true },
    ...lifeArguments,
  },
  run: ({ args }) => create(args.name, args.from, args),
  examples: [['pg-branch branch fork dev try-migration', 'to try something on a copy of what dev has now']],
})

async function create(name: string, from: string | undefined, { ttl, label, config, json }: Life): Promise<void> {
  const ttlMs = ttl === undefined ? undefined : parseTtl(ttl, { name: '--ttl' })
  const labels = parseLabels(label)
  const request = { ...createProjectRequest(config), name, from, ttlMs, labels }
  const answer = await callWithProgress((call) => call.createBranch(request))
  printNotices(answer.notices)
  if (json) printJson(answer)
  else print(describe(answer))
}

function describe({ name, created, from, template, expiresAt, variables, psqlLine }: CreateBranchAnswer): string {
  const origin = from === 'template' ? `template ${template.slice(0, 8)}` : from
  return [
    `${created ? pico.green('created') : 'there already:'} ${name}, made from ${origin}, ${describeExpiry(expiresAt)}`,
    `  url   ${variables.DATABASE_URL ?? ''}`,
    `  psql  ${psqlLine}`,
  ].join('\n')
}
