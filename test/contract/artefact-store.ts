import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { startFaultyProxy, type Fault } from '../support/faulty-proxy.ts'
import { describeContent, emptyBlob } from '../../packages/pg-branch/dist/artefact/blobs.js'
import type { ArtefactStore, WriteOutcome } from '../../packages/pg-branch/dist/artefact/contract.js'

/** What every template store must do; a new one is one line in `artefact-store.test.ts`. */
export function describeArtefactStore({ open }: { open(): ArtefactStore }): void {
  test('a blob is there after it was written, byte for byte, and not before', async () => {
    const store = open()
    for (const size of [0, 1, 70_000, 5_000_000, 20_000_000]) {
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
    expect(await store.writeRef('a-name', { manifest: first, blobs: [layer], annotations: { x: '1' } })).toMatchObject({
      isWritten: true,
    })
    expect(await store.readRef('a-name')).toEqual({ manifest: first, blobs: [layer], annotations: { x: '1' } })
    const later = { manifest: second, blobs: [layer], annotations: { x: '2', y: 'ü "quoted"' } }
    expect(await store.writeRef('a-name', later, { ifAbsent: true })).toMatchObject({ isWritten: false })
    expect(await store.writeRef('a-name', later)).toMatchObject({ isWritten: true })
    expect(await store.readRef('a-name')).toEqual(later)
  })

  test('a mark has annotations only', async () => {
    const store = open()
    const mark = { manifest: emptyBlob, blobs: [], annotations: { text: '{"by":"me"}' } }
    expect(await store.writeRef('a-mark', mark, { ifAbsent: true })).toMatchObject({ isWritten: true })
    expect(await store.readRef('a-mark')).toEqual(mark)
  })

  test('of many that write an absent name at once, one alone is told that it was absent, if the store says that it is so', async () => {
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
    const winners = results.flatMap(({ isWritten }, index) => (isWritten ? [String(index)] : []))
    expect(winners).toContain((await open().readRef('contested'))?.annotations.by)
    if (results.some(({ isExclusive }: WriteOutcome) => isExclusive)) expect(winners).toHaveLength(1)
  })
}

/** What every store must bear that is spoken to by HTTP. */
export function describeHttpStore({
  getOrigin,
  open,
}: {
  getOrigin(): string
  /** @param origin where it is to be asked, in place of its own. */
  open(origin: string): ArtefactStore
}): void {
  const content = randomBytes(3_000_000)
  const blob = describeContent(content)
  const mark = { manifest: emptyBlob, blobs: [], annotations: { text: 'a mark' } }

  test.each<[string, Fault[]]>([
    ['is busy', [{ status: 503, headers: { 'retry-after': '1' } }]],
    ['is busy more than once', [{ status: 503 }, { status: 500 }]],
    ['wants fewer requests', [{ status: 429, headers: { 'retry-after': '1' } }]],
    ['breaks the connection off', ['drop']],
    ['is slow', [{ waitMs: 1_500 }]],
  ])('one that %s is asked again, and nothing is lost', async (_name, faults) => {
    await using proxy = await startFaultyProxy(getOrigin())
    const store = open(proxy.origin)
    await store.readRef('log-in-first')
    proxy.meet(...faults)
    await store.writeBlob(blob, content)
    proxy.meet(...faults)
    expect((await store.readBlob(blob))?.equals(content)).toBe(true)
    proxy.meet(...faults)
    expect(await store.hasBlob(blob)).toBe(true)
    proxy.meet(...faults)
    expect(await store.writeRef('marked', mark)).toMatchObject({ isWritten: true })
    proxy.meet(...faults)
    expect(await store.readRef('marked')).toEqual(mark)
  })

  test('an answer that breaks off is asked for again', async () => {
    await open(getOrigin()).writeBlob(blob, content)
    await using proxy = await startFaultyProxy(getOrigin())
    const store = open(proxy.origin)
    await store.readRef('log-in-first')
    proxy.meet({ cutAfterBytes: 1_000_000 }, { cutAfterBytes: 10 })
    expect((await store.readBlob(blob))?.equals(content)).toBe(true)
    expect(proxy.count).toBeGreaterThanOrEqual(3)
  })

  test('one that refuses is named, with what it said', async () => {
    await using proxy = await startFaultyProxy(getOrigin())
    const store = open(proxy.origin)
    await store.readRef('log-in-first')
    for (const action of [
      () => store.readBlob(blob),
      () => store.writeBlob(blob, content),
      () => store.readRef('x'),
      () => store.writeRef('x', mark),
    ]) {
      proxy.meet({ status: 403, body: '<Error><Code>AccessDenied</Code><Message>not for you</Message></Error>' })
      await expect(action()).rejects.toMatchObject({
        code: 'PGB_STORE',
        message: expect.stringMatching(/answered 403.*not for you/s) as string,
      })
    }
  })

  test('one that never recovers is given up, and named', async () => {
    await using proxy = await startFaultyProxy(getOrigin())
    const store = open(proxy.origin)
    await store.readRef('log-in-first')
    proxy.meet(...Array.from({ length: 20 }, () => ({ status: 503 })))
    await expect(store.readRef('x')).rejects.toMatchObject({
      code: 'PGB_STORE',
      message: expect.stringContaining('503') as string,
    })
    expect(proxy.count).toBeLessThan(10)
  })
}
