#!/usr/bin/env node
import { stripVTControlCharacters } from 'node:util'
import { defineCommand, renderUsage, runCommand, type ArgsDef, type CommandDef } from 'citty'
import pico from 'picocolors'
import { PgBranchError, getErrorCode } from '../lib/errors.ts'
import { explainSystemError } from '../lib/system-errors.ts'
import { packageVersion } from '../lib/version.ts'
import { checkArguments } from './check-arguments.ts'
import type { Command } from './command.ts'
import { getExitCode } from './exit-code.ts'
import { registry } from './registry.ts'

const meta = {
  name: 'pg-branch',
  version: packageVersion,
  description: 'Real Postgres for TypeScript tests, with Git-like branches',
}

const main = defineCommand({
  meta,
  subCommands: Object.fromEntries(Object.entries(registry).map(([name, { load }]) => [name, load])),
})

/** The same without anything in it: to list the commands none needs to be loaded. */
const outline = defineCommand({
  meta,
  subCommands: Object.fromEntries(
    Object.entries(registry).map(([name, { description }]) => [name, defineCommand({ meta: { name, description } })]),
  ),
})

/** Exit codes: 0 done, 1 the user's input, 2 the system; those of a command that was run are its own. */
async function run(rawArgs: string[]): Promise<number> {
  const [first] = rawArgs
  if (first === '--version') {
    process.stdout.write(`${packageVersion}\n`)
    return 0
  }
  // What follows two dashes is another command's.
  const own = rawArgs.includes('--') ? rawArgs.slice(0, rawArgs.indexOf('--')) : rawArgs
  if (first === undefined || first === '--help' || first === '-h') {
    show(process.stdout, await renderUsage(outline))
    return 0
  }
  let command: Command = main
  let parent: CommandDef | undefined
  try {
    const found = await findCommand(own)
    ;({ command, parent } = found)
    const isGroup = command.subCommands !== undefined
    if (own.includes('--help') || own.includes('-h') || (isGroup && found.rest.length === 0)) {
      show(process.stdout, `${await renderUsage(command, parent)}${renderExamples(command)}`)
      return 0
    }
    if (command === main && first.startsWith('-')) checkArguments(own, {})
    if (!isGroup && first !== 'complete') {
      checkArguments(found.rest, ((await resolveValue(command.args)) ?? {}) as ArgsDef, command.wordsHint)
    }
    await runCommand(main, { rawArgs })
    return Number(process.exitCode ?? 0)
  } catch (thrown) {
    const error = thrown instanceof PgBranchError ? thrown : (explainSystemError(thrown) ?? thrown)
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${pico.red('error')} ${message}\n`)
    const isUsage = !(error instanceof PgBranchError) && getExitCode(error) === 1
    if (isUsage) show(process.stderr, `\n${await renderUsage(command === main ? outline : command, parent)}`)
    return getExitCode(error)
  }
}

/** citty colours what it renders whoever reads it. */
function show(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${pico.isColorSupported ? text : stripVTControlCharacters(text)}\n`)
}

/** Walks the arguments down to the command they name. */
async function findCommand(
  args: string[],
): Promise<{ command: Command; parent: CommandDef | undefined; rest: string[] }> {
  let command: Command = main
  let parent: CommandDef | undefined
  let rest = args
  for (;;) {
    const children = (await resolveValue(command.subCommands)) as Record<string, unknown> | undefined
    const [name, ...others] = rest
    if (children === undefined || name === undefined || !(name in children)) return { command, parent, rest }
    const path = args.slice(0, args.length - rest.length)
    parent = defineCommand({ meta: { ...meta, name: [meta.name, ...path].join(' ') } })
    command = (await resolveValue(children[name])) as Command
    rest = others
  }
}

function renderExamples({ examples = [] }: Command): string {
  if (examples.length === 0) return ''
  const width = Math.max(...examples.map(([command]) => command.length))
  const lines = examples.map(([command, purpose]) => `  ${pico.cyan(command.padEnd(width))}  ${pico.dim(purpose)}`)
  return `\n${pico.underline(pico.bold('EXAMPLES'))}\n\n${lines.join('\n')}\n`
}

function resolveValue(value: unknown): unknown {
  return typeof value === 'function' ? (value as () => unknown)() : value
}

// Whoever reads us may have enough, as `head` does.
process.stdout.on('error', (error) => {
  process.exit(getErrorCode(error) === 'EPIPE' ? 0 : 2)
})
process.exitCode = await run(process.argv.slice(2))
