import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const source = 'packages/pg-branch/src'

interface Finding {
  code: string
  filename: string
  labels: Array<{ span: { line: number } }>
}

/** @returns the rooms that a room may use, as the table in ARCHITECTURE.md tells people. */
function readArrows(): Map<string, string[]> {
  const text = readFileSync(join(repository, 'ARCHITECTURE.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+)` *\|([^|]*)\|/gm)]
  return new Map(
    rows.map(([, room = '', uses = '']) => [room, [...uses.matchAll(/`(\w+)`/g)].map(([, used = '']) => used)]),
  )
}

test('the linter refuses every import that the table of rooms does not allow, at any depth, and no other', async () => {
  const arrows = readArrows()
  const rooms = readdirSync(join(repository, source), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  expect([...arrows.keys()].sort()).toEqual(rooms)
  const dir = mkdtempSync(join(tmpdir(), 'pgb-rooms-'))
  try {
    cpSync(join(repository, '.oxlintrc.json'), join(dir, '.oxlintrc.json'))
    const imports = (up: string) =>
      rooms
        .flatMap((room) => [`${up}${room}/probe.ts`, `${up}${room}/deep/probe.ts`])
        .map((path) => `import '${path}'\n`)
    for (const room of rooms) {
      mkdirSync(join(dir, source, room, 'deep'), { recursive: true })
      writeFileSync(join(dir, source, room, 'probe.ts'), imports('../').join(''))
      writeFileSync(join(dir, source, room, 'deep/probe.ts'), imports('../../').join(''))
    }
    const { stdout } = await execa(join(repository, 'node_modules/.bin/oxlint'), ['--format', 'json', '.'], {
      cwd: dir,
      reject: false,
    })
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: Finding[] }
    const refused = diagnostics
      .filter(({ code }) => code.includes('no-restricted-imports'))
      .map(({ filename, labels }) => {
        const line = labels[0]?.span.line ?? 0
        return `${filename.replace(/^.*src\//, '')} → ${rooms[Math.floor((line - 1) / 2)]}${line % 2 === 0 ? '/deep' : ''}`
      })
    const expected = rooms.flatMap((room) =>
      ['probe.ts', 'deep/probe.ts'].flatMap((file) =>
        rooms.flatMap((used) =>
          used === room || arrows.get(room)?.includes(used)
            ? []
            : [`${room}/${file} → ${used}`, `${room}/${file} → ${used}/deep`],
        ),
      ),
    )
    expect(refused.sort()).toEqual(expected.sort())
  } finally {
    rmSync(dir, { recursive: true })
  }
})
