import { mkdtempSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareNaturally, expandGlobs, findChangedPath, listGlobDirs, readSignatures } from './inputs.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgb-inputs-'))
  mkdirSync(join(dir, 'db/deep'), { recursive: true })
  mkdirSync(join(dir, 'db/node_modules'), { recursive: true })
  for (const name of ['10.sql', '2.sql', '1.sql', '1.down.sql', 'deep/3.sql', 'node_modules/4.sql'])
    writeFileSync(join(dir, 'db', name), name)
})
afterAll(() => rmSync(dir, { recursive: true }))

test('natural order, segment by segment', () => {
  expect(['a/10', 'a/9', 'a/b/1', 'a2/1', 'a/1b', 'a/1a'].sort(compareNaturally)).toEqual([
    'a/1a',
    'a/1b',
    'a/9',
    'a/10',
    'a/b/1',
    'a2/1',
  ])
})

test('globs in the order given, each file once, exclusions, never node_modules', async () => {
  const names = (await expandGlobs(['db/2.sql', 'db/**/*.sql', '!db/*.down.sql'], dir)).map((path) =>
    path.slice(dir.length + 1),
  )
  expect(names).toEqual(['db/2.sql', 'db/1.sql', 'db/10.sql', 'db/deep/3.sql'])
})

test('a file that appears, changes or goes is noticed, also with the same size and time', async () => {
  const look = async () =>
    readSignatures([...(await expandGlobs(['db/*.sql'], dir)), ...(await listGlobDirs(['db/*.sql'], dir))])
  let before = await look()
  expect(findChangedPath(before)).toBeUndefined()
  writeFileSync(join(dir, 'db/20.sql'), 'x')
  expect(findChangedPath(before)).toBe(join(dir, 'db'))
  before = await look()
  const time = new Date(1_000_000_000_000)
  utimesSync(join(dir, 'db/20.sql'), time, time)
  before = await look()
  writeFileSync(join(dir, 'db/20.sql'), 'y')
  utimesSync(join(dir, 'db/20.sql'), time, time)
  expect(findChangedPath(before)).toBe(join(dir, 'db/20.sql'))
  rmSync(join(dir, 'db/20.sql'))
  expect(findChangedPath(before)).toBeDefined()
})
