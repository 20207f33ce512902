import { formatBytes, formatDuration } from '../lib/format.ts'
import type { ListedTemplate } from '../protocol/catalog-protocol.ts'
import { matchTemplate } from '../template/catalog.ts'
import { callSupervisor, configArgument, createProjectRequest, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson, printTable } from './print.ts'

const keyArgument = {
  key: { type: 'positional', description: 'The beginning of a template’s key', required: true },
} as const

export const listCommand: Command = createCommand({
  meta: { name: 'ls', description: 'List the templates and layers that are cached, newest use first' },
  args: { ...configArgument, ...jsonArgument },
  async run({ args }) {
    const templates = await listTemplates(args.config)
    if (args.json) return printJson(templates)
    if (templates.length === 0) return print('there are none; make this project’s with: pg-branch template build')
    printTable([
      ['KEY', 'KIND', 'SIZE', 'USED', 'MADE BY'],
      ...templates.map((template) => [
        `${template.key.slice(0, 8)}${template.isCurrent ? ' *' : ''}`,
        template.sealed ? 'template' : 'layer',
        formatBytes(template.bytes),
        describeAge(template.usedAt),
        template.description,
      ]),
    ])
  },
  examples: [['pg-branch template ls', 'what is cached, how large, and when it was used']],
})

export const showCommand: Command = createCommand({
  meta: { name: 'show', description: 'Say all about a cached template' },
  args: { ...keyArgument, ...configArgument, ...jsonArgument },
  async run({ args }) {
    const template = matchTemplate(await listTemplates(args.config), args.key)
    if (args.json) return printJson(template)
    const lines = [
      ['kind', template.sealed ? 'template' : 'layer: to continue building from'],
      ['made by', template.description],
      ['postgres', template.postgres ?? 'the server’s'],
      ['size', formatBytes(template.bytes)],
      ['made', template.createdAt ?? 'not recorded'],
      ['in', template.buildMs === undefined ? 'not recorded' : formatDuration(template.buildMs)],
      ['fast ingest', template.byFastIngest ? 'yes' : 'no'],
      ['last used', template.usedAt],
      ['used by', template.usedBy.join(', ') || 'nobody now'],
    ]
    print([template.key, ...lines.map(([name = '', text]) => `  ${name.padEnd(11)}  ${text}`)].join('\n'))
  },
  examples: [['pg-branch template show 1a2b3c4d', 'with a key that `template ls` shows']],
})

export const removeCommand: Command = createCommand({
  meta: { name: 'rm', description: 'Remove a cached template or layer that no branch needs' },
  args: { ...keyArgument, ...configArgument, ...jsonArgument },
  async run({ args }) {
    const request = { ...createProjectRequest(args.config), key: args.key }
    const removed = await callSupervisor((call) => call.removeTemplate(request))
    if (args.json) printJson({ removed })
    else print(`removed ${removed}`)
  },
  examples: [['pg-branch template rm 1a2b3c4d', 'the next run that needs it builds it again']],
})

function listTemplates(config: string | undefined): Promise<ListedTemplate[]> {
  return callSupervisor((call) => call.listTemplates(createProjectRequest(config)))
}

function describeAge(usedAt: string): string {
  const days = Math.floor((Date.now() - Date.parse(usedAt)) / 86_400_000)
  if (days > 3650) return 'never'
  return days === 0 ? 'today' : `${days} days ago`
}
