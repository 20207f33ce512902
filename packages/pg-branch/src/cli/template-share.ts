import { resolve } from 'node:path'
import { formatBytes } from '../lib/format.ts'
import { splitScheme } from '../lib/split-scheme.ts'
import type { ExchangeAnswer } from '../protocol/catalog-protocol.ts'
import { callWithProgress, configArgument, createProjectRequest, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

const storeArgument = {
  store: {
    type: 'positional',
    description:
      'A directory, oci://host/repository, or s3://bucket/prefix. Default: `cache.store` of the configuration',
    required: false,
  },
} as const

const forceArgument = {
  force: { type: 'boolean', description: 'Write also what is there already: it may be damaged', default: false },
} as const

export const pushCommand: Command = createCommand({
  meta: {
    name: 'push',
    description: 'Put this project’s template into a store, built if need be; only what is not there is moved',
  },
  args: { ...storeArgument, ...forceArgument, ...configArgument, ...jsonArgument },
  run: ({ args }) => push(args.store, args),
  examples: [['pg-branch template push oci://ghcr.io/you/app-templates', 'for colleagues and CI']],
})

export const packCommand: Command = createCommand({
  meta: { name: 'pack', description: 'Write this project’s template into a directory, to be carried elsewhere' },
  args: {
    directory: { type: 'positional', description: 'It is made if it is not there', required: true },
    ...forceArgument,
    ...configArgument,
    ...jsonArgument,
  },
  run: ({ args }) => push(resolve(args.directory), args),
  examples: [['pg-branch template pack .pg-branch-templates', 'for the cache of a CI service']],
})

export const pullCommand: Command = createCommand({
  meta: { name: 'pull', description: 'Fetch this project’s template from a store; nothing is built' },
  args: { ...storeArgument, ...configArgument, ...jsonArgument },
  async run({ args }) {
    const request = { ...createProjectRequest(args.config), store: resolveStore(args.store) }
    const answer = await callWithProgress((call) => call.pullTemplate(request))
    if (args.json) printJson(answer)
    else if (answer.wasThere) print(`template ${answer.key.slice(0, 8)} is here already`)
    else print(`fetched template ${answer.key.slice(0, 8)} from ${answer.store}, ${formatBytes(answer.bytes)}`)
  },
  examples: [
    ['pg-branch template pull', 'from `cache.store` of the configuration'],
    ['pg-branch template pull .pg-branch-templates', 'what `template pack` has written'],
  ],
})

async function push(
  store: string | undefined,
  { config, force, json }: { config?: string | undefined; force: boolean; json: boolean },
): Promise<void> {
  const request = { ...createProjectRequest(config), store: resolveStore(store), force }
  const answer = await callWithProgress((call) => call.pushTemplate(request))
  if (json) printJson(answer)
  else print(describe(answer))
}

/** A path that is typed is meant from here, and not from where the configuration is. */
function resolveStore(store: string | undefined): string | undefined {
  return store === undefined || splitScheme(store).scheme !== undefined ? store : resolve(store)
}

function describe({ key, store, bytes, bytesMoved }: ExchangeAnswer): string {
  const moved = bytesMoved === 0 ? 'all of it was there' : `${formatBytes(bytesMoved)} of ${formatBytes(bytes)} moved`
  return `template ${key.slice(0, 8)} is in ${store}: ${moved}`
}
