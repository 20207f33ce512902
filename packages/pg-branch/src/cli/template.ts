import { defineCommand } from 'citty'
import pico from 'picocolors'
import { createReporter } from '../runner/report.ts'
import { createTerminalReporter } from '../runner/terminal-report.ts'
import { connectSupervisor } from '../supervisor/client.ts'
import type { ProgressReport, TemplateReport } from '../supervisor/protocol.ts'
import { withSentinel, withholdUrls } from '../url/sentinel.ts'
import type { Command } from './command.ts'
import { print, printJson } from './print.ts'

const config = { type: 'string', description: 'Configuration file. Default: the nearest one upwards' } as const

const build = defineCommand({
  meta: { name: 'build', description: 'Build the template of this directory’s project, unless it is there' },
  args: {
    config,
    json: { type: 'boolean', description: 'Print every event of the build as a line of JSON', default: false },
  },
  async run({ args }) {
    const { json } = args
    const events = json ? createEventReporter() : pickReporter()
    const report = await askForTemplate({ config: args.config, dryRun: false, onProgress: events.showProgress })
    events.end?.()
    for (const notice of json ? [] : report.notices) process.stderr.write(`pg-branch: ${notice}\n`)
    if (json) print(JSON.stringify({ event: report.why === undefined ? 'reused' : 'ready', ...report }))
    else print(`${report.why === undefined ? 'ready, from the cache' : 'ready'}: template ${report.key.slice(0, 8)}`)
  },
}) as unknown as Command

const why = defineCommand({
  meta: {
    name: 'why',
    description: 'Say what the next run would build, and which file is the reason. Nothing is built',
  },
  args: { config, json: { type: 'boolean', description: 'Print as JSON', default: false } },
  async run({ args }) {
    const report = await askForTemplate({ config: args.config, dryRun: true, onProgress: () => {} })
    if (args.json) printJson(report)
    else print(describe(report))
  },
}) as unknown as Command

export const templateCommand: Command = defineCommand({
  meta: { name: 'template', description: 'Build the template ahead of a test run, or explain what would be built' },
  subCommands: { build, why },
})

async function askForTemplate(options: {
  config: string | undefined
  dryRun: boolean
  onProgress(report: ProgressReport): void
}): Promise<TemplateReport> {
  const { config: file, dryRun, onProgress } = options
  const withheld = withholdUrls(process.env)
  const connection = await connectSupervisor({ onProgress })
  try {
    return await connection.call.build({
      rootDir: process.cwd(),
      options: file === undefined ? {} : { config: file },
      env: withSentinel(process.env),
      withheld,
      runId: `pid ${process.pid}`,
      dryRun,
    })
  } finally {
    connection.close()
  }
}

interface BuildReporter {
  showProgress(report: ProgressReport): void
  end?(): void
}

function pickReporter(): BuildReporter {
  const isTerminal = process.stderr.isTTY && (process.env.CI ?? '') === ''
  return isTerminal ? createTerminalReporter(process.stderr) : createReporter({ isTerminal: false })
}

function createEventReporter(): BuildReporter {
  return {
    showProgress({ speak: _speak, done, ...progress }) {
      print(JSON.stringify(done === undefined ? { event: 'progress', ...progress } : { event: 'built', ...done }))
    },
  }
}

function describe({ key, why: reason, steps, notices }: TemplateReport): string {
  const head = `template ${key.slice(0, 8)} ${reason === undefined ? 'is there: nothing would be built' : `would be built: ${reason}`}`
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
