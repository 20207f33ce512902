import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError } from '../lib/errors.ts'
import { getStatePaths } from '../lib/paths.ts'
import { parseCount } from './arguments.ts'
import { jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { printJson } from './print.ts'

/** Files in the log directory, by what writes them. */
const files = {
  supervisor: 'supervisor.log',
  seed: 'builder.log',
  server: 'build-server.log',
  reaper: 'reaper.log',
}
const followIntervalMs = 200

export const logsCommand: Command = createCommand({
  meta: { name: 'logs', description: 'Show what the background process, or one that it started, has written' },
  args: {
    of: {
      type: 'enum',
      options: Object.keys(files),
      description: 'Whose: seed is what your seed wrote, server the build’s Postgres',
      default: 'supervisor',
    },
    lines: { type: 'string', description: 'How many of the last lines', default: '100', valueHint: 'count' },
    follow: { type: 'boolean', alias: 'f', description: 'Go on as more is written', default: false },
    ...jsonArgument,
  },
  async run({ args }) {
    const count = parseCount(args.lines, { name: '--lines' })
    const { logDir } = getStatePaths()
    const file = join(logDir, files[args.of as keyof typeof files])
    const text = await read(file)
    const lines = text
      .trimEnd()
      .split('\n')
      .slice(-count || text.length)
    if (args.json) return printJson({ file, lines: count === 0 ? [] : lines })
    if (count > 0) process.stdout.write(`${lines.join('\n')}\n`)
    if (args.follow) await follow(file)
  },
  examples: [['pg-branch logs --follow', 'while tests run; DEBUG=pg-branch:* before the first run says more']],
})

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new PgBranchError(`${file} cannot be read`, {
      code: 'PGB_ARGUMENT',
      hint: 'Nothing was written yet; a test run, or `pg-branch up`, starts the background process.',
      cause: error,
    })
  }
}

/** Until the process is ended. */
async function follow(file: string): Promise<never> {
  let { size: position } = await stat(file)
  for (;;) {
    await sleep(followIntervalMs)
    const { size } = await stat(file)
    // It was rotated.
    if (size < position) position = 0
    if (size === position) continue
    await using handle = await open(file)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - position), 0, size - position, position)
    position += bytesRead
    process.stdout.write(buffer.subarray(0, bytesRead))
  }
}
