import { execSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { getServerIdentity } from '../../packages/pg-branch/dist/lib/server-identity.js'
import type { VolumeDriver } from '../../packages/pg-branch/dist/volume/contract.js'

/**
 * What every volume driver must do, on the real file system in `getDir()`. A new driver passes this
 * suite on each file system that it is for.
 */
export function describeVolumeDriver(
  name: string,
  { makeDriver, getDir }: { makeDriver(): VolumeDriver; getDir(): string },
): void {
  describe(name, () => {
    let driver: VolumeDriver
    let dir: string
    let source: string

    beforeEach(async () => {
      driver = makeDriver()
      dir = await mkdtemp(join(getDir(), 'case-'))
      await chmod(dir, 0o711)
      source = join(dir, 'source')
      await driver.create(source)
      await fill(source)
    })

    test('the probe finds it usable and leaves nothing', async () => {
      const before = await readdir(dir)
      expect(await driver.probe(dir)).toEqual({ usable: true })
      expect(await readdir(dir)).toEqual(before)
    })

    test('the probe says why a place is not usable', async () => {
      expect(await driver.probe('/proc')).toEqual({ usable: false, reason: expect.stringContaining('/proc') as string })
    })

    test('a new tree is private and belongs to the user of the server', async () => {
      const stat = await lstat(source)
      expect(stat.mode & 0o777).toBe(0o700)
      if (process.getuid?.() === 0) expect(stat.uid).not.toBe(0)
    })

    test('a clone equals its source: names, content, modes, owners, links', async () => {
      const copy = join(dir, 'copy')
      await driver.clone({ from: source, to: copy })
      expect(await describeTree(copy)).toEqual(await describeTree(source))
    })

    test('clone and source do not see each other’s writes', async () => {
      const copy = join(dir, 'copy')
      await driver.clone({ from: source, to: copy })
      await writeFile(join(copy, 'base/1/100'), 'changed in the clone')
      await writeFile(join(source, 'new'), 'made in the source')
      expect((await readFile(join(source, 'base/1/100'))).length).toBe(100_000)
      expect(existsSync(join(copy, 'new'))).toBe(false)
    })

    test('a clone of a clone of a clone', async () => {
      let from = source
      for (const name of ['a', 'b', 'c']) {
        const to = join(dir, name)
        await driver.clone({ from, to })
        await writeFile(join(to, name), name)
        from = to
      }
      await driver.remove([join(dir, 'a'), join(dir, 'b')])
      expect(await readdir(join(dir, 'c'))).toEqual(expect.arrayContaining(['a', 'b', 'c', 'base']))
      expect((await readFile(join(dir, 'c/base/1/100'))).length).toBe(100_000)
    })

    test('a clone moves to another name with its parent directory, as publishing does', async () => {
      await mkdir(join(dir, 'draft'))
      await driver.clone({ from: source, to: join(dir, 'draft/data') })
      await rename(join(dir, 'draft'), join(dir, 'published'))
      expect(await describeTree(join(dir, 'published/data'))).toEqual(await describeTree(source))
      const copy = join(dir, 'copy')
      await driver.clone({ from: join(dir, 'published/data'), to: copy })
      expect(await describeTree(copy)).toEqual(await describeTree(source))
    })

    test('removes many at once, and those already gone', async () => {
      const copies = ['a', 'b', 'c'].map((name) => join(dir, name))
      await Promise.all(copies.map((to) => driver.clone({ from: source, to })))
      await driver.remove([...copies.slice(0, 2), join(dir, 'never-was')])
      await driver.remove(copies.slice(2))
      await driver.remove([])
      expect((await readdir(dir)).filter((name) => name !== 'source')).toEqual([])
    })

    test('names with spaces and quotes', async () => {
      const copy = join(dir, `it's "a" $copy; rm`)
      await driver.clone({ from: source, to: copy })
      expect(await describeTree(copy)).toEqual(await describeTree(source))
      await driver.remove([copy])
      expect(existsSync(copy)).toBe(false)
    })

    test('a failed clone leaves nothing at its target', async () => {
      const to = join(dir, 'missing-parent/copy')
      await expect(driver.clone({ from: source, to })).rejects.toThrow()
      await expect(driver.clone({ from: join(dir, 'nowhere'), to: join(dir, 'copy') })).rejects.toThrow()
      expect((await readdir(dir)).sort()).toEqual(['source'])
    })

    if (!makeDriver().capabilities.rewind) return

    test('a used clone is rewound to its source, whatever was done to it', async () => {
      const copy = join(dir, 'copy')
      await driver.clone({ from: source, to: copy })
      for (const damage of damages) {
        await damage(copy)
        giveToServer(copy)
        await driver.clone({ from: source, to: copy })
        expect(await describeTree(copy)).toEqual(await describeTree(source))
      }
    })

    test('a hundred random rewinds end equal to the source', async () => {
      const copy = join(dir, 'copy')
      await driver.clone({ from: source, to: copy })
      const expected = await describeTree(source)
      for (let round = 0; round < 100; round += 1) {
        for (const damage of damages) if (Math.random() < 0.3) await damage(copy)
        giveToServer(copy)
        await driver.clone({ from: source, to: copy })
        expect(await describeTree(copy)).toEqual(expected)
      }
    })
  })
}

/** Each leaves a tree in which it can be done again after a rewind. */
const damages: Array<(dir: string) => Promise<unknown>> = [
  (dir) => appendFile(join(dir, 'base/1/100'), 'more'),
  (dir) => truncate(join(dir, 'base/1/101'), 10),
  // Same size, other content.
  (dir) => writeFile(join(dir, 'base/1/102'), 'y'.repeat(8192)),
  (dir) => rm(join(dir, 'base/2'), { recursive: true, force: true }),
  (dir) => rm(join(dir, 'PG_VERSION'), { force: true }),
  (dir) => mkdir(join(dir, 'extra/deep'), { recursive: true }).then(() => writeFile(join(dir, 'extra/deep/file'), 'x')),
  (dir) => rm(join(dir, 'link'), { force: true }).then(() => symlink('elsewhere', join(dir, 'link'))),
  // A file in place of a directory.
  (dir) => rm(join(dir, 'empty'), { recursive: true, force: true }).then(() => writeFile(join(dir, 'empty'), '')),
  (dir) => writeFile(join(dir, 'new.conf'), 'x'),
]

async function fill(dir: string): Promise<void> {
  for (const path of ['base/1', 'base/2', 'empty']) await mkdir(join(dir, path), { recursive: true, mode: 0o700 })
  for (let file = 100; file < 140; file += 1)
    await writeFile(join(dir, `base/1/${file}`), 'x'.repeat(file === 100 ? 100_000 : 8192))
  await writeFile(join(dir, 'base/2/200'), '')
  await writeFile(join(dir, 'PG_VERSION'), '18\n', { mode: 0o600 })
  await symlink('base/1/100', join(dir, 'link'))
  giveToServer(dir)
}

/** What a server does to its files it does as its own user. */
function giveToServer(dir: string): void {
  const user = getServerIdentity()
  if (user !== undefined) execSync(`chown -hR ${user.uid}:${user.gid} ${dir}`)
}

/** Every path with type, mode, owner and content. */
async function describeTree(dir: string): Promise<string[]> {
  const listing = execSync(`find . -printf '%P %y %m %U:%G %l\\n' | sort; find . -type f -exec sha256sum {} + | sort`, {
    cwd: dir,
    encoding: 'utf8',
  })
  return listing.split('\n')
}
