import { stopSupervisor } from '../client/stop.ts'
import { jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

export const downCommand: Command = createCommand({
  meta: {
    name: 'down',
    description:
      'End the background process, its servers and all branches, kept and named ones too; templates stay cached, also on a server of yours',
  },
  args: jsonArgument,
  async run({ args }) {
    const stopped = await stopSupervisor()
    if (args.json) printJson({ stopped })
    else print(stopped ? 'stopped' : 'nothing was running')
  },
  examples: [['pg-branch down', 'at the end of the day; the next run starts it again']],
})
