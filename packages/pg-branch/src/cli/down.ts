import { defineCommand } from 'citty'
import { stopSupervisor } from '../supervisor/stop.ts'
import type { Command } from './command.ts'
import { print } from './print.ts'

export const downCommand: Command = defineCommand({
  meta: {
    name: 'down',
    description:
      'End the background process, its servers and all branches, kept ones too; templates stay cached, also on a server of yours',
  },
  async run() {
    print((await stopSupervisor()) ? 'stopped' : 'nothing was running')
  },
})
