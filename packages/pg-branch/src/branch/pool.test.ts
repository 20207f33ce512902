import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Branch, BranchSource, BranchStrategy } from './contract.ts'
import { Pool } from './pool.ts'

interface Handle extends Branch {
  die(): void
}

const source: BranchSource = { key: 'template', database: 'postgres' }

/** Branches without servers: what is tested is who has which of them. */
function makeStrategy({ recycles = false }: { recycles?: boolean } = {}) {
  let made = 0
  const there = new Set<string>()
  const stopped: string[] = []
  const recycled: string[] = []
  let failure: Error | undefined
  const strategy: BranchStrategy<BranchSource, Handle> = {
    name: 'cluster',
    capabilities: { recycles, liveSnapshots: false, varies: false },
    async fork(_source, { recycle }) {
      await sleep(1)
      if (recycle !== undefined) {
        recycled.push(recycle.id)
        there.delete(recycle.id)
      }
      if (failure !== undefined) throw failure
      made += 1
      const id = `b${made}`
      there.add(id)
      const { promise: exited, resolve: die } = withResolvers()
      const address = { host: 'nowhere', port: 1, user: 'x', password: 'x', database: 'x' }
      return { ...address, id, dir: '', admin: address, exited, die }
    },
    snapshot: async () => source,
    forget: async () => {},
    async stop({ id }) {
      stopped.push(id)
    },
    async discard(branches) {
      for (const { id } of branches) there.delete(id)
    },
  }
  return {
    strategy,
    there,
    stopped,
    recycled,
    fail(error: Error | undefined) {
      failure = error
    },
  }
}

function withResolvers(): { promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

const makePool = (strategy: BranchStrategy<BranchSource, Handle>, size: number) =>
  new Pool({ strategy, source, size, parallelForks: 2, keepsControl: false })

test('nothing is made before it is asked for; then as many as are to be ready, and one more for each that is leased', async () => {
  const { strategy, there } = makeStrategy()
  const pool = makePool(strategy, 2)
  expect(pool.counts).toEqual({ ready: 0, warming: 0, leased: 0, dirty: 0 })
  pool.warm()
  await vi.waitFor(() => expect(pool.counts).toMatchObject({ ready: 2, warming: 0 }))
  expect((await pool.lease()).warm).toBe(true)
  await vi.waitFor(() => expect(pool.counts).toEqual({ ready: 2, warming: 0, leased: 1, dirty: 0 }))
  expect(there.size).toBe(3)
})

test('of many who wait each has a branch of their own', async () => {
  const { strategy } = makeStrategy()
  const pool = makePool(strategy, 0)
  const leases = await Promise.all(Array.from({ length: 20 }, () => pool.lease()))
  expect(new Set(leases.map(({ branch }) => branch.id)).size).toBe(20)
  expect(leases.every(({ warm }) => !warm)).toBe(true)
  expect(pool.counts).toMatchObject({ ready: 0, leased: 20 })
})

test('what comes back is never leased again, unless it was never written to', async () => {
  const { strategy, there } = makeStrategy()
  const pool = makePool(strategy, 1)
  const { branch: used } = await pool.lease()
  pool.release(used)
  expect((await pool.lease()).branch.id).not.toBe(used.id)
  await vi.waitFor(() => expect(there.has(used.id)).toBe(false))
  const { branch: clean } = await pool.lease()
  await vi.waitFor(() => expect(pool.counts.ready).toBe(1))
  const { branch: other } = await pool.lease()
  pool.putBack(clean)
  const ids = [(await pool.lease()).branch.id, (await pool.lease()).branch.id]
  expect(ids).toContain(clean.id)
  expect(ids).not.toContain(other.id)
  expect(() => pool.release(used)).toThrow(/not leased/)
})

test('a used branch is parked for its successor, where the strategy can start over from it', async () => {
  const { strategy, stopped, recycled, there } = makeStrategy({ recycles: true })
  const pool = makePool(strategy, 1)
  const { branch } = await pool.lease()
  await vi.waitFor(() => expect(pool.counts.ready).toBe(1))
  pool.release(branch)
  expect(stopped).toEqual([branch.id])
  expect(pool.counts.dirty).toBe(1)
  await pool.lease()
  await vi.waitFor(() => expect(recycled).toEqual([branch.id]))
  await pool.drain()
  expect(there.size).toBe(1)
})

test('a ready branch that dies is replaced, and not handed out', async () => {
  const { strategy, there } = makeStrategy()
  const pool = makePool(strategy, 1)
  const { branch } = await pool.lease()
  await vi.waitFor(() => expect(pool.counts.ready).toBe(1))
  pool.putBack(branch)
  branch.die()
  await vi.waitFor(() => expect(there.has(branch.id)).toBe(false))
  for (let count = 0; count < 3; count += 1) expect((await pool.lease()).branch.id).not.toBe(branch.id)
})

test('a fork that fails is told to all who wait, and tried again when somebody asks', async () => {
  const { strategy, fail } = makeStrategy()
  const pool = makePool(strategy, 2)
  fail(new Error('no room'))
  const results = await Promise.allSettled([pool.lease(), pool.lease(), pool.lease()])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  fail(undefined)
  expect((await pool.lease()).branch.id).toMatch(/^b/)
})

test('what is surrendered is no business of the pool, until whoever has it removes it', async () => {
  const { strategy, there } = makeStrategy()
  const pool = makePool(strategy, 0)
  const { branch } = await pool.lease()
  const { discard } = pool.surrender(branch)
  await pool.drain()
  expect([...there]).toEqual([branch.id])
  await discard()
  expect(there.size).toBe(0)
})

test('a pool that is drained leaves nothing but what is leased, and removes that when it comes back', async () => {
  const { strategy, there } = makeStrategy({ recycles: true })
  const pool = makePool(strategy, 3)
  const { branch } = await pool.lease()
  await pool.drain()
  expect([...there]).toEqual([branch.id])
  pool.release(branch)
  await vi.waitFor(() => expect(there.size).toBe(0))
  expect(pool.counts).toEqual({ ready: 0, warming: 0, leased: 0, dirty: 0 })
})
