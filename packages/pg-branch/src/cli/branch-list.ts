import { formatDuration } from '../lib/format.ts'
import type { BranchInfo, ProjectRef } from '../protocol/named-protocol.ts'
import { callForBranch, callRunning, configArgument, createBranchRef, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson, printTable } from './print.ts'

export const nameArgument = {
  name: { type: 'positional', description: 'Name of a branch', required: true },
} as const

export const listCommand: Command = createCommand({
  meta: { name: 'ls', description: 'List the branches of this project' },
  args: {
    all: { type: 'boolean', description: 'Those of every project', default: false },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    const project = args.all ? undefined : { rootDir: process.cwd(), config: args.config }
    const branches = await listBranches(project)
    if (args.json) return printJson(branches)
    if (branches.length === 0) return print('there are none; make one with: pg-branch branch create NAME')
    printTable([
      ['PROJECT', 'NAME', 'FROM', 'ENDS', 'CONNECTIONS', 'SNAPSHOTS', 'LABELS'],
      ...branches.map((branch) => [
        args.all ? branch.baseDir : '',
        branch.name,
        branch.from === 'template' ? branch.template.slice(0, 8) : branch.from,
        branch.expiresAt === undefined ? 'never' : `in ${formatDuration(getRestMs(branch.expiresAt))}`,
        String(branch.connections),
        branch.snapshots.join(', '),
        describeLabels(branch),
      ]),
    ])
  },
  examples: [
    ['pg-branch branch ls', 'those of the project in this directory'],
    ['pg-branch branch ls --all --json', 'for scripts'],
  ],
})

/** Without a supervisor there are none: it need not be started to say so. */
export async function listBranches(project: ProjectRef | undefined): Promise<BranchInfo[]> {
  return (await callRunning((call) => call.listBranches({ project }))) ?? []
}

export const showCommand: Command = createCommand({
  meta: { name: 'show', description: 'Say all about a branch: its URL and variables, snapshots, time, connections' },
  args: { ...nameArgument, ...configArgument, ...jsonArgument },
  async run({ args }) {
    const branch = await callForBranch(createBranchRef(args), (call, ref) => call.getBranch(ref))
    if (args.json) return printJson(branch)
    const variables = Object.entries(branch.variables).map(([name, value]) => `    ${name}=${value}`)
    print(
      [
        `${branch.name}, made from ${branch.from} of ${branch.baseDir}`,
        `  template     ${branch.template}`,
        `  made         ${branch.createdAt}`,
        `  ends         ${describeExpiry(branch.expiresAt)}`,
        `  labels       ${describeLabels(branch)}`,
        `  snapshots    ${branch.snapshots.join(', ') || 'none'}`,
        `  connections  ${branch.connections}`,
        `  psql         ${branch.psqlLine}`,
        '  variables',
        ...variables,
      ].join('\n'),
    )
  },
  examples: [['pg-branch branch show dev', 'its URL, variables, snapshots, and when it ends']],
})

function describeLabels({ labels }: BranchInfo): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

export function describeExpiry(expiresAt: string | undefined): string {
  if (expiresAt === undefined) return 'until it is removed'
  return `for ${formatDuration(getRestMs(expiresAt))} more`
}

function getRestMs(expiresAt: string): number {
  return Math.max(0, Date.parse(expiresAt) - Date.now())
}
