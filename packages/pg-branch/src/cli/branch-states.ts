import { nameArgument } from './branch-list.ts'
import { callForBranch, configArgument, createBranchRef, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

export const snapshotCommand: Command = createCommand({
  meta: { name: 'snapshot', description: 'Save the state of a branch, in place of an earlier snapshot of that name' },
  args: {
    ...nameArgument,
    snapshot: { type: 'positional', description: 'Name of the snapshot', required: true },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    await callForBranch(createBranchRef(args), (call, ref) => call.snapshotBranch({ ...ref, snapshot: args.snapshot }))
    if (args.json) printJson({ name: args.name, snapshot: args.snapshot })
    else print(`saved ${args.name}@${args.snapshot}`)
  },
  examples: [['pg-branch branch snapshot dev before-migration', 'to come back to']],
})

export const restoreCommand: Command = createCommand({
  meta: {
    name: 'restore',
    description: 'Bring a branch back to a snapshot, or to what it was made from. Idle connections stay open',
  },
  args: {
    ...nameArgument,
    snapshot: { type: 'positional', description: 'Default: what the branch was made from', required: false },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    const { snapshot } = args
    const { closed } = await callForBranch(createBranchRef(args), (call, ref) =>
      call.restoreBranch({ ...ref, snapshot }),
    )
    if (args.json) return printJson({ name: args.name, snapshot, closed })
    const lost = closed === 0 ? '' : `; ${closed} connections were in the middle of something and are closed`
    print(`${args.name} is back at ${snapshot === undefined ? 'its beginning' : `@${snapshot}`}${lost}`)
  },
  examples: [
    ['pg-branch branch restore dev before-migration', 'to a snapshot'],
    ['pg-branch branch restore dev', 'to the seed'],
  ],
})

export const removeCommand: Command = createCommand({
  meta: { name: 'rm', description: 'Remove a branch, with its snapshots; branches of it live on' },
  args: { ...nameArgument, ...configArgument, ...jsonArgument },
  async run({ args }) {
    await callForBranch(createBranchRef(args), (call, ref) => call.removeBranch(ref))
    if (args.json) printJson({ removed: args.name })
    else print(`removed ${args.name}`)
  },
  wordsHint: 'One branch at a time.',
  examples: [['pg-branch branch rm pr-12', 'when the pull request is closed']],
})
