import pico from 'picocolors'
import type { ProgressReport, TemplateReport } from '../protocol/protocol.ts'
import {
  callSupervisor,
  callWithProgress,
  configArgument,
  createProjectRequest,
  jsonArgument,
} from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson, printNotices } from './print.ts'

export const buildCommand: Command = createCommand({
  meta: { name: 'build', description: 'Build the template of this directory’s project, unless it is there' },
  args: {
    ...configArgument,
    json: { type: 'boolean', description: 'Print every event of the build as a line of JSON', default: false },
  },
  async run({ args }) {
    const { json } = args
    const request = { ...createProjectRequest(args.config), dryRun: false }
    const report = json
      ? await callSupervisor((call) => call.build(request), { onProgress: printEvent })
      : await callWithProgress((call) => call.build(request))
    if (!json) printNotices(report.notices)
    if (json) print(JSON.stringify({ event: report.why === undefined ? 'reused' : 'ready', ...report }))
    else print(`${report.why === undefined ? 'ready, from the cache' : 'ready'}: template ${report.key.slice(0, 8)}`)
  },
  examples: [['pg-branch template build', 'in a Dockerfile or before CI splits into shards']],
})

export const whyCommand: Command = createCommand({
  meta: {
    name: 'why',
    description: 'Say what the next run would build, and which file is the reason. Nothing is built',
  },
  args: { ...configArgument, ...jsonArgument },
  async run({ args }) {
    const request = { ...createProjectRequest(args.config), dryRun: true }
    const report = await callSupervisor((call) => call.build(request))
    if (args.json) printJson(report)
    else print(describe(report))
  },
  examples: [['pg-branch template why', 'before a run that you did not expect to build']],
})

function printEvent({ speak: _speak, done, ...progress }: ProgressReport): void {
  print(JSON.stringify(done === undefined ? { event: 'progress', ...progress } : { event: 'built', ...done }))
}

function describe({ key, why: reason, fetchFrom, steps, notices }: TemplateReport): string {
  const name = `template ${key.slice(0, 8)}`
  if (fetchFrom !== undefined) return [...notices, `${name} would be fetched from ${fetchFrom}`].join('\n')
  const head = `${name} ${reason === undefined ? 'is there: nothing would be built' : `would be built: ${reason}`}`
  const lines = steps.map(({ label, runs, from }, index) => {
    const what = {
      cached: pico.green('from the cache'),
      rest: pico.yellow(`from ${from} on`),
      whole: pico.yellow('runs'),
    }
    return `  ${index + 1}  ${label}: ${what[runs]}`
  })
  return [...notices, head, ...lines].join('\n')
}
