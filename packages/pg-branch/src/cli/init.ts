import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { createTwoFilesPatch } from 'diff'
import pico from 'picocolors'
import { PgBranchError } from '../lib/errors.ts'
import { jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import type { FileChange, ProjectFiles, RunnerSetup } from './init/contract.ts'
import { addChanges, findInstallCommand, findMissing, findOtherSetups, readProject } from './init/read-project.ts'
import { setUpJest } from './init/set-up-jest.ts'
import { setUpNodeTest } from './init/set-up-node-test.ts'
import { setUpVitest } from './init/set-up-vitest.ts'
import { setUpConfig } from './init/write-config.ts'
import { print, printJson } from './print.ts'

/** Every runner that can be set up: a new one is a file in `init/` and a line here. */
const runners: Array<(project: ProjectFiles) => RunnerSetup | undefined> = [setUpVitest, setUpJest, setUpNodeTest]

export const initCommand: Command = createCommand({
  meta: {
    name: 'init',
    description:
      'Set up the package in this directory: the configuration, and the line in the test runner’s. Shows what it would change, and asks',
  },
  args: {
    yes: { type: 'boolean', alias: 'y', description: 'Do not ask', default: false },
    'dry-run': { type: 'boolean', description: 'Change nothing', default: false },
    ...jsonArgument,
  },
  async run({ args }) {
    const plan = await makePlan(process.cwd())
    if (args.json) printJson(plan)
    else describe(plan)
    if (args['dry-run'] || plan.changes.length === 0) return
    if (!args.yes && !(await confirm()))
      throw new PgBranchError('nothing was changed', { code: 'PGB_ARGUMENT', hint: 'It was not agreed to.' })
    for (const { path, after } of plan.changes) writeFileSync(join(process.cwd(), path), after)
    if (plan.open.length > 0) process.exitCode = 1
    if (args.json) return
    const open = plan.open.map((what) => `not done yet, and your tests have no branch before: ${what}`)
    print(open.length === 0 ? pico.green('done') : pico.yellow(open.join('\n')))
  },
  examples: [
    ['pg-branch init', 'see what it would do, and agree'],
    ['pg-branch init --dry-run', 'only see'],
  ],
})

interface Plan {
  runners: string[]
  seed: string
  others: string[]
  changes: FileChange[]
  /** What is left for the user, in order. */
  next: string[]
  /** Lists what of `next` must be done before tests have a branch. */
  open: string[]
}

async function makePlan(dir: string): Promise<Plan> {
  const project = readProject(dir)
  const setups = runners.flatMap((setUp) => {
    const setup = setUp(project)
    addChanges(project, setup?.changes ?? [])
    return setup ?? []
  })
  if (setups.length === 0) {
    throw new PgBranchError(`no test runner that pg-branch knows was found in ${dir}`, {
      code: 'PGB_ARGUMENT',
      hint: 'Install Vitest or Jest first, or use `pg-branch run -- <command>` with any other.',
    })
  }
  const config = await setUpConfig(project)
  const packages = [...new Set([...setups.flatMap((setup) => setup.packages), ...findMissing(project, ['pg-branch'])])]
  const others = findOtherSetups(project)
  const open = setups.flatMap((setup) => setup.open ?? [])
  return {
    open,
    runners: setups.map(({ name }) => name),
    seed: config.found,
    others,
    changes: [...(config.change === undefined ? [] : [config.change]), ...project.changes.values()],
    next: [
      ...(packages.length === 0 ? [] : [`${findInstallCommand(project)} ${packages.join(' ')}`]),
      ...open,
      ...config.todo,
      ...setups.flatMap(({ todo }) => todo),
      ...others.map(
        (name) =>
          `coming from ${name}: take out what starts and resets a database; every test file has one of its own now`,
      ),
      'run your tests: DATABASE_URL and PG* point at a branch of their own in every test file',
    ],
  }
}

function describe({ runners: names, seed, others, changes, next }: Plan): void {
  print(`tests with     ${names.join(', ')}\ndatabase from  ${seed}`)
  if (others.length > 0) print(`until now      ${others.join(', ')}`)
  for (const { path, before, after } of changes) print(`\n${describeChange(path, before, after)}`)
  if (changes.length === 0) print('\nall is set up already')
  print(`\nnext\n${next.map((line, index) => `  ${index + 1}. ${line}`).join('\n')}`)
}

function describeChange(path: string, before: string, after: string): string {
  const patch = createTwoFilesPatch(before === '' ? '/dev/null' : path, path, before, after, '', '')
  // The first two lines are the tool's own.
  const lines = patch
    .split('\n')
    .slice(1)
    .filter((line) => line !== '\\ No newline at end of file')
  return lines
    .join('\n')
    .trimEnd()
    .replaceAll(/^\+.*$/gm, pico.green)
    .replaceAll(/^-.*$/gm, pico.red)
}

/** @throws PgBranchError `PGB_ARGUMENT` where nobody can answer. */
async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new PgBranchError('there is no terminal to ask on, so nothing was changed', {
      code: 'PGB_ARGUMENT',
      hint: 'Run it again with --yes.',
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question('\nMake these changes? [y/N] ')
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
