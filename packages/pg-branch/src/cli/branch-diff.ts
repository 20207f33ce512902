import pico from 'picocolors'
import type { DatabaseDiff } from '../diff/compare-databases.ts'
import type { RowSample } from '../diff/compare-rows.ts'
import { parseCount } from './arguments.ts'
import { callWithProgress, configArgument, createProjectRequest, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

export const diffCommand: Command = createCommand({
  meta: {
    name: 'diff',
    description:
      'Say how two states differ: definitions, grants, comments, rows of each table, and on a server of its own roles and settings',
  },
  args: {
    before: {
      type: 'positional',
      description: 'BRANCH, BRANCH@SNAPSHOT, template or template:KEY',
      required: true,
    },
    after: {
      type: 'positional',
      description: 'Another; left out, the first is compared with template',
      required: false,
    },
    samples: { type: 'string', description: 'Rows of each table to show', default: '3', valueHint: 'count' },
    'exit-code': { type: 'boolean', description: 'Exit with 1 if there is a difference', default: false },
    ...configArgument,
    ...jsonArgument,
  },
  async run({ args }) {
    const samples = parseCount(args.samples, { name: '--samples' })
    const [before, after] = args.after === undefined ? ['template', args.before] : [args.before, args.after]
    const request = { ...createProjectRequest(args.config), before, after, samples }
    const diff = await callWithProgress((call) => call.diffStates(request))
    if (args.json) printJson(diff)
    else print(describe(diff, { before, after }))
    if (args['exit-code'] && diff.schema.length + diff.tables.length > 0) process.exitCode = 1
  },
  examples: [
    ['pg-branch branch diff dev', 'what was done to dev since the seed'],
    ['pg-branch branch diff dev@before-migration dev', 'what a migration did'],
    ['pg-branch branch diff template:1a2b3c4d template', 'what a change of the seed did'],
  ],
})

function describe({ schema, tables }: DatabaseDiff, { before, after }: { before: string; after: string }): string {
  if (schema.length + tables.length === 0) return `${before} and ${after} are equal`
  const definitions = schema.flatMap(({ object, change, lines, database }) => [
    pico.bold(`${change} ${object}${describePlace(database)}`),
    ...lines.map((line) => `  ${colourLine(line)}`),
  ])
  return [pico.dim(`from ${before} to ${after}`), ...definitions, ...tables.flatMap(describeTable)].join('\n')
}

function describePlace(database: string | undefined): string {
  return database === undefined ? '' : ` in ${database}`
}

function describeTable(diff: DatabaseDiff['tables'][number]): string[] {
  const { table, added, changed, removed, database, samples = [] } = diff
  const counts = [
    added > 0 ? pico.green(`${added} added`) : '',
    changed > 0 ? pico.yellow(`${changed} changed`) : '',
    removed > 0 ? pico.red(`${removed} removed`) : '',
  ].filter((text) => text !== '')
  if (counts.length === 0) return []
  const shown = samples.length
  const more = added + changed + removed - shown
  return [
    `${pico.bold(`rows of ${table}${describePlace(database)}`)}: ${counts.join(', ')}`,
    ...samples.flatMap(describeSample).map((line) => `  ${colourLine(line)}`),
    ...(shown > 0 && more > 0 ? [pico.dim(`  … and ${more} more`)] : []),
  ]
}

function describeSample({ before, after }: RowSample): string[] {
  return [...(before === undefined ? [] : [`- ${before}`]), ...(after === undefined ? [] : [`+ ${after}`])]
}

function colourLine(line: string): string {
  if (line.startsWith('+')) return pico.green(line)
  return line.startsWith('-') ? pico.red(line) : line
}
