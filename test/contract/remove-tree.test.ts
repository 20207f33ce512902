import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { removeTrees } from '../../packages/pg-branch/dist/lib/remove-tree.js'
import { setSymlinkProtection, symlinkProtections } from '../support/symlink-protection.ts'
import { makeStrangersDir, startAsStranger, stranger } from '../support/stranger.ts'

const dir = mkdtempSync(join(tmpdir(), 'pgb-remove-'))
const victim = join(dir, 'victim')
const place = join(dir, 'place')
chmodSync(dir, 0o755)
afterAll(() => rmSync(dir, { recursive: true }))
beforeEach(() => {
  mkdirSync(join(victim, 'data'), { recursive: true })
  writeFileSync(join(victim, 'data/kept'), '')
  mkdirSync(place, { recursive: true })
})
const isVictimWhole = () => existsSync(join(victim, 'data/kept'))

test('links are unlinked, never entered', async () => {
  const tree = join(place, 'tree')
  mkdirSync(tree)
  symlinkSync(victim, join(tree, 'dir'))
  symlinkSync(join(victim, 'data/kept'), join(tree, 'file'))
  symlinkSync('/nowhere', join(tree, 'dangling'))
  const link = join(place, 'link')
  symlinkSync(victim, link)
  await removeTrees([tree, link, join(place, 'never there')])
  expect(readdirSync(place)).toEqual([])
  expect(isVictimWhole()).toBe(true)
})

test('nothing is removed from a place that others can change', async () => {
  using theirs = makeStrangersDir()
  mkdirSync(join(theirs.path, 'tree'))
  await expect(removeTrees([join(theirs.path, 'tree')])).rejects.toThrow(
    /cannot be used safely: .*belongs to the user 47611/,
  )
  expect(existsSync(join(theirs.path, 'tree'))).toBe(true)
  // Nor through a link on the way there.
  symlinkSync(theirs.path, join(place, 'way'))
  await expect(removeTrees([join(place, 'way', 'tree')])).rejects.toThrow(/cannot be used safely/)
})

// Of a tree whose directories a server's user owns, and who swaps one for a link all the time.
const swap = `import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
const [, tree, victim] = process.argv
console.log('ready')
for (;;) {
  try {
    symlinkSync(victim, tree + '/link')
    for (;;) {
      renameSync(tree + '/sub', tree + '/away')
      renameSync(tree + '/link', tree + '/sub')
      renameSync(tree + '/sub', tree + '/link')
      renameSync(tree + '/away', tree + '/sub')
    }
  } catch {}
}`

test.each(symlinkProtections)(
  'whoever swaps directories and links meanwhile has nothing else removed (protected_symlinks = %s)',
  async (protection) => {
    setSymlinkProtection(protection)
    const tree = join(place, 'tree')
    await using _swapping = await startAsStranger(swap, [tree, victim])
    for (let round = 0; round < 60; round += 1) {
      mkdirSync(join(tree, 'sub'), { recursive: true })
      for (let file = 0; file < 200; file += 1) writeFileSync(join(tree, 'sub', String(file)), '')
      chownSync(join(tree, 'sub'), stranger.uid, stranger.gid)
      chownSync(tree, stranger.uid, stranger.gid)
      await removeTrees([tree]).catch(() => {})
      expect(isVictimWhole()).toBe(true)
    }
  },
)
