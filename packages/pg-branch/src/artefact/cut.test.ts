import { expect, test } from 'vitest'
import { chunkBytes, cutFiles, type CutFile } from './cut.ts'

const make = (path: string, bytes: number): CutFile => ({ path, bytes, mode: 0o600 })
const small = Array.from({ length: 500 }, (_, index) => make(`base/1/${1000 + index}`, 8192))

test('every byte is in one piece', () => {
  const files = [...small, make('big', 3 * chunkBytes + 5), make('empty', 0)]
  const found = new Map<string, number>()
  for (const { path, offset, length } of cutFiles(files).flat()) {
    expect(found.get(path) ?? 0).toBe(offset)
    found.set(path, offset + length)
  }
  for (const { path, bytes } of files) expect(found.get(path) ?? 0).toBe(bytes)
})

test('no chunk is large, and small files share them', () => {
  const chunks = cutFiles([...small, make('big', 3 * chunkBytes + 5)])
  const sizes = chunks.map((pieces) => pieces.reduce((sum, { length }) => sum + length, 0))
  expect(Math.max(...sizes)).toBeLessThanOrEqual(chunkBytes)
  expect(chunks.length).toBeLessThan(100)
})

test('a file more, or a larger one, changes no other chunk than its own', () => {
  const before = new Set(cutFiles(small).map((pieces) => JSON.stringify(pieces)))
  const more = [...small, make('base/1/1234_vm', 8192)].sort((a, b) => (a.path < b.path ? -1 : 1))
  expect(cutFiles(more).filter((pieces) => !before.has(JSON.stringify(pieces)))).toHaveLength(1)
  const larger = small.toSpliced(77, 1, make(small[77]?.path ?? '', 16_384))
  expect(cutFiles(larger).filter((pieces) => !before.has(JSON.stringify(pieces)))).toHaveLength(1)
})
