import { expect, test } from 'vitest'
import type { Command } from './command.ts'
import { registry } from './registry.ts'

/** What they print is another program's, or a script. */
const withoutJson = new Set(['run', 'branch psql', 'complete'])

async function listCommands(): Promise<Array<[name: string, command: Command]>> {
  const found: Array<[string, Command]> = []
  for (const [name, { load }] of Object.entries(registry)) {
    const command = await load()
    if (command.subCommands === undefined) found.push([name, command])
    for (const [child, loadChild] of Object.entries((command.subCommands ?? {}) as Record<string, unknown>)) {
      const loaded = typeof loadChild === 'function' ? await (loadChild as () => Promise<Command>)() : loadChild
      found.push([`${name} ${child}`, loaded as Command])
    }
  }
  return found
}

test('every command has an example, and --json where there is something to tell', async () => {
  const commands = await listCommands()
  expect(commands.length).toBeGreaterThan(25)
  for (const [name, { args = {}, examples = [] }] of commands) {
    expect('json' in args, `--json of ${name}`).toBe(!withoutJson.has(name))
    const lines = examples.map(([example]) => example)
    expect(lines, `examples of ${name}`).toContainEqual(expect.stringContaining(`pg-branch ${name}`))
  }
})
