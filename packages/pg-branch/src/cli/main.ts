#!/usr/bin/env node
import { defineCommand, renderUsage, runCommand, type CommandDef } from 'citty'
import pico from 'picocolors'
import { PgBranchError, type PgBranchErrorCode } from '../lib/errors.ts'
import { packageVersion } from '../lib/version.ts'

const main = defineCommand({
  meta: {
    name: 'pg-branch',
    version: packageVersion,
    description: 'Real Postgres for TypeScript tests, with Git-like branches',
  },
  subCommands: {
    volume: () => import('./volume.ts').then((module) => module.volumeCommand),
    template: () => import('./template.ts').then((module) => module.templateCommand),
    status: () => import('./status.ts').then((module) => module.statusCommand),
    doctor: () => import('./doctor.ts').then((module) => module.doctorCommand),
    run: () => import('./run.ts').then((module) => module.runCommand),
    down: () => import('./down.ts').then((module) => module.downCommand),
  },
})

/** As a shell answers for a command that there is not. */
const exitCodes: Partial<Record<PgBranchErrorCode, number>> = { PGB_ARGUMENT: 1, PGB_COMMAND_NOT_FOUND: 127 }

/** Exit codes: 0 done, 1 the user's input, 2 the system; those of a command that was run are its own. */
async function run(rawArgs: string[]): Promise<number> {
  if (rawArgs[0] === '--version') {
    process.stdout.write(`${packageVersion}\n`)
    return 0
  }
  // What follows two dashes is another command's.
  const own = rawArgs.includes('--') ? rawArgs.slice(0, rawArgs.indexOf('--')) : rawArgs
  const { command, parent, rest } = await findCommand(own)
  const isGroup = command.subCommands !== undefined
  if (own.includes('--help') || own.includes('-h') || (isGroup && rest.length === 0)) {
    process.stdout.write(`${await renderUsage(command, parent)}\n`)
    return 0
  }
  try {
    await runCommand(main, { rawArgs })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof PgBranchError) {
      process.stderr.write(`${pico.red('error')} ${error.message}\n`)
      return exitCodes[error.code] ?? 2
    }
    const isUsage = error instanceof Error && error.name === 'CLIError'
    process.stderr.write(`${pico.red('error')} ${error instanceof Error ? error.message : String(error)}\n`)
    if (isUsage) process.stderr.write(`\n${await renderUsage(command, parent)}\n`)
    return isUsage ? 1 : 2
  }
}

/** Walks the arguments down to the command they name. */
async function findCommand(
  args: string[],
): Promise<{ command: CommandDef; parent: CommandDef | undefined; rest: string[] }> {
  let command: CommandDef = main
  let parent: CommandDef | undefined
  let rest = args
  for (;;) {
    const children = (await resolveValue(command.subCommands)) as Record<string, unknown> | undefined
    const [name, ...others] = rest
    if (children === undefined || name === undefined || !(name in children)) return { command, parent, rest }
    parent = command
    command = (await resolveValue(children[name])) as CommandDef
    rest = others
  }
}

function resolveValue(value: unknown): unknown {
  return typeof value === 'function' ? (value as () => unknown)() : value
}

process.exitCode = await run(process.argv.slice(2))
