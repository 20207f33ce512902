import { formatBytes } from '../lib/format.ts'
import { callSupervisor, configArgument, createProjectRequest, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson, printTable } from './print.ts'

export const gcCommand: Command = createCommand({
  meta: {
    name: 'gc',
    description:
      'Remove what nobody needs any more: templates beyond the limits of `cache`, leftovers of killed processes, other versions, old downloads',
  },
  args: {
    'dry-run': { type: 'boolean', description: 'Only say what would be removed, and why', default: false },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    const dryRun = args['dry-run']
    const request = { ...createProjectRequest(args.config), dryRun }
    const garbage = await callSupervisor((call) => call.collectGarbage(request))
    if (args.json) return printJson({ dryRun, garbage })
    if (garbage.length === 0) return print('there is nothing to remove')
    const rows = garbage.map(({ kind, what, bytes, reason }) => [
      kind,
      kind === 'template' ? what.slice(0, 8) : what,
      formatBytes(bytes),
      reason,
    ])
    printTable([['KIND', 'WHAT', 'SIZE', 'WHY'], ...rows])
    const total = garbage.reduce((sum, { bytes }) => sum + bytes, 0)
    print(`\n${formatBytes(total)} ${dryRun ? 'would be' : 'were'} freed`)
  },
  examples: [['pg-branch gc --dry-run', 'first see what it would do']],
})
