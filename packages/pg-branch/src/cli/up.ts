import { PgBranchError } from '../lib/errors.ts'
import { parseTtl } from './arguments.ts'
import { callWithProgress, configArgument, createProjectRequest, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson, printNotices } from './print.ts'

export const upCommand: Command = createCommand({
  meta: {
    name: 'up',
    description: 'Start the background process ahead of need, with this project’s template and pool, and keep it',
  },
  args: {
    for: {
      type: 'string',
      description: 'How long it stays although nobody needs it',
      default: '8h',
      valueHint: 'time',
    },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    const ms = parseTtl(args.for, { name: '--for' })
    if (ms === null) {
      throw new PgBranchError('--for is "never"', { code: 'PGB_ARGUMENT', hint: 'Give a time, for example 8h.' })
    }
    const { template, pid } = await callWithProgress(async (call) => {
      const report = await call.build({ ...createProjectRequest(args.config), dryRun: false })
      await call.stay({ untilMs: Date.now() + ms })
      const status = await call.status()
      return { template: report, pid: status.pid }
    })
    const { key, why, notices } = template
    printNotices(notices)
    if (args.json) printJson({ pid, template: key, built: why !== undefined, staysForMs: ms })
    else print(`up, pid ${pid}, with template ${key.slice(0, 8)}; it stays for ${args.for}, or until: pg-branch down`)
  },
  examples: [['pg-branch up --for 30m', 'before a series of short test runs']],
})
