import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeContent, emptyBlob } from '../../packages/pg-branch/dist/artefact/blobs.js'
import type { ArtefactStore } from '../../packages/pg-branch/dist/artefact/contract.js'

/** What every template store must do; a new one is one line in `artefact-store.test.ts`. */
export function describeArtefactStore({ open }: { open(): ArtefactStore }): void {
  test('a blob is there after it was written, byte for byte, and not before', async () => {
    const store = open()
    for (const size of [0, 1, 70_000, 5_000_000]) {
      const content = randomBytes(size)
      const blob = describeContent(content)
      if (size > 0) {
        expect(await store.hasBlob(blob)).toBe(false)
        expect(await store.readBlob(blob)).toBeUndefined()
      }
      await store.writeBlob(blob, content)
      // Writing it again is no error.
      await store.writeBlob(blob, content)
      expect(await store.hasBlob(blob)).toBe(true)
      expect((await store.readBlob(blob))?.equals(content)).toBe(true)
    }
  })

  test('a name points at what was written last, with its annotations', async () => {
    const store = open()
    const [one, two, part] = ['one', 'two', 'part'].map((text) => Buffer.from(`${text} ${Math.random()}`))
    const blobs = [one, two, part].map((content = Buffer.alloc(0)) => ({ content, blob: describeContent(content) }))
    for (const { blob, content } of blobs) await store.writeBlob(blob, content)
    const [first, second, layer] = blobs.map(({ blob }) => blob)
    if (first === undefined || second === undefined || layer === undefined) throw new Error('no blobs')
    expect(await store.readRef('a-name')).toBeUndefined()
    expect(await store.writeRef('a-name', { manifest: first, blobs: [layer], annotations: { x: '1' } })).toBe(true)
    expect(await store.readRef('a-name')).toEqual({ manifest: first, blobs: [layer], annotations: { x: '1' } })
    const later = { manifest: second, blobs: [layer], annotations: { x: '2', y: 'ü "quoted"' } }
    expect(await store.writeRef('a-name', later, { ifAbsent: true })).toBe(false)
    expect(await store.writeRef('a-name', later)).toBe(true)
    expect(await store.readRef('a-name')).toEqual(later)
  })

  test('a mark has annotations only', async () => {
    const store = open()
    const mark = { manifest: emptyBlob, blobs: [], annotations: { text: '{"by":"me"}' } }
    expect(await store.writeRef('a-mark', mark, { ifAbsent: true })).toBe(true)
    expect(await store.readRef('a-mark')).toEqual(mark)
  })

  test('of many that write an absent name at once, one alone is told that it was absent, if the store says so', async () => {
    const stores = Array.from({ length: 8 }, () => open())
    const results = await Promise.all(
      stores.map((store, index) =>
        store.writeRef(
          'contested',
          { manifest: emptyBlob, blobs: [], annotations: { by: String(index) } },
          { ifAbsent: true },
        ),
      ),
    )
    const winners = results.flatMap((won, index) => (won ? [String(index)] : []))
    expect(winners).toContain((await open().readRef('contested'))?.annotations.by)
    if (open().capabilities.exclusive) expect(winners).toHaveLength(1)
  })
}
