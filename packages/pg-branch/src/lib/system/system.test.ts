import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, type ResultPromise } from 'execa'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { System } from './contract.ts'
import { createLinuxSystem } from './linux.ts'
import { createPortableSystem } from './portable.ts'

// What every kind of system must answer, on real processes.

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'pgb-system-')))
afterAll(() => rmSync(dir, { recursive: true }))
const started: ResultPromise[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    // With what it has started.
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    await child
  }
})

async function start(line: string, env: Record<string, string> = {}): Promise<number> {
  const child = execa('/bin/sh', ['-c', line], {
    cwd: dir,
    reject: false,
    env,
    stdio: 'ignore',
    detached: true,
  }) as unknown as ResultPromise
  started.push(child)
  if (child.pid === undefined) await once(child, 'spawn')
  return child.pid ?? 0
}

const systems: Array<[string, () => System]> = [['what POSIX has', createPortableSystem]]
if (process.platform === 'linux') systems.push(['Linux', createLinuxSystem])

describe.each(systems)('%s', (_name, create) => {
  const { processes, maxSocketPathBytes, readAvailableMemoryBytes } = create()

  test('a process has one time at which it began, and none when it has ended', async () => {
    const pid = await start('exec sleep 60')
    const time = await processes.readStartTime(pid)
    expect(time).toMatch(/\d/)
    expect(await processes.readStartTime(pid)).toBe(time)
    expect(await processes.readStartTime(1)).not.toBe(time)
    started[0]?.kill('SIGKILL')
    await started.shift()
    expect(await processes.readStartTime(pid)).toBeUndefined()
  })

  test('a zombie has ended', async () => {
    const pid = await start('sleep 0 & exec sleep 60')
    await expect.poll(async () => (await processes.listChildren(pid)).length).toBe(1)
    const [child = 0] = await processes.listChildren(pid)
    await expect.poll(() => processes.readStartTime(child)).toBeUndefined()
    expect((await processes.readStates([child])).get(child)).toBe('Z')
  })

  test('states are told of those that are there', async () => {
    const [running, stopped] = [await start('exec sleep 60'), await start('exec sleep 60')]
    process.kill(stopped, 'SIGSTOP')
    await expect
      .poll(async () => [...(await processes.readStates([running, stopped, 4_194_305]))])
      .toEqual([
        [running, 'S'],
        [stopped, 'T'],
      ])
  })

  test('where a process works, and what it was started with', async () => {
    const value = `${dir}/x`
    const pid = await start('exec sleep 60', { PG_BRANCH_TRIAL: value })
    expect(await processes.isWorkingIn(pid, '/nowhere')).toBe(false)
    await expect.poll(() => processes.listStartedWith(`PG_BRANCH_TRIAL=${dir}/`)).toContain(pid)
    expect(await processes.listStartedWith('PG_BRANCH_TRIAL=/nowhere')).toEqual([])
    const server = await start(`sleep 60; : -D ${dir} -p`)
    await expect.poll(() => processes.isWorkingIn(server, dir)).toBe(true)
  })

  test('memory, and the length of a socket’s path', async () => {
    expect(await readAvailableMemoryBytes()).toBeGreaterThan(2 ** 20)
    expect(maxSocketPathBytes).toBeGreaterThan(90)
  })
})
