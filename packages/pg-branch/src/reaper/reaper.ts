import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { createLog } from '../lib/log.ts'
import { isPidAlive, signalProcess, waitUntil } from '../lib/processes.ts'
import { removeTrees } from '../lib/remove-tree.ts'
import { getSystem } from '../lib/system/get-system.ts'
import { dataVariable, readPidFile } from '../postgres/cluster.ts'
import { resumeCluster } from '../postgres/pause.ts'
import { dataName } from '../template/manifest.ts'
import type { VolumeDriver } from '../volume/contract.ts'
import { drivers } from '../volume/registry.ts'
import { GenerationRegister, isGenerationAlive, isInMemory } from './generation.ts'
import { reapStartedServers } from './started-servers.ts'

const log = createLog('reaper')

/** Removes all that dead supervisors left. */
export async function reapDead(stateDir: string): Promise<void> {
  await Promise.all([reapDeadGenerations(stateDir), reapStartedServers(stateDir)])
}

/**
 * Removes what dead supervisors left: servers, data, half-built templates. Safe to run at any time
 * and more than once at the same time: only directories whose owner is dead are touched.
 */
async function reapDeadGenerations(stateDir: string): Promise<void> {
  const made = new Map<string, VolumeDriver>()
  for (const { path, driver: name } of new GenerationRegister(stateDir).list()) {
    const driver = made.get(name) ?? drivers[name]()
    made.set(name, driver)
    for (const dir of await listGenerations(path)) {
      if (await isGenerationAlive(dir)) continue
      try {
        await reapGeneration(dir, driver)
      } catch (error) {
        log('%s could not be removed: %O', dir, error)
      }
    }
    await removeEmptyMemoryDir(path)
  }
}

/** @returns the directories of dead supervisors: what the next start, or `reapDead`, removes. */
export async function listDeadGenerations(stateDir: string): Promise<string[]> {
  const dead: string[] = []
  for (const { path } of new GenerationRegister(stateDir).list()) {
    for (const dir of await listGenerations(path)) if (!(await isGenerationAlive(dir))) dead.push(dir)
  }
  return dead
}

/** Removes what one supervisor has left at its own orderly end: its empty directories. */
export async function reapGenerationNow(stateDir: string, generation: string): Promise<void> {
  for (const { path, driver } of new GenerationRegister(stateDir).list()) {
    const dir = join(path, generation)
    if (existsSync(dir)) await reapGeneration(dir, drivers[driver]())
    await removeEmptyMemoryDir(path)
  }
}

/** Nothing of ours stays in memory without need. */
async function removeEmptyMemoryDir(path: string): Promise<void> {
  if (isInMemory(path)) await rmdir(path).catch(() => {})
}

/** @returns the directories of supervisors in a place, and of removals that were cut off; links are none. */
async function listGenerations(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name))
}

async function reapGeneration(dir: string, driver: VolumeDriver): Promise<void> {
  log('removing %s', dir)
  const items = await listGenerations(dir)
  const dataDirs = items.map((item) => join(item, dataName)).filter((path) => existsSync(path))
  await Promise.all(dataDirs.map((dataDir) => endServer(dataDir)))
  await endPrograms(dir)
  await driver.remove(dataDirs)
  await removeTrees([dir])
}

/**
 * Ends the postmaster of a data directory. A pid is believed only if that process works in this very
 * directory: numbers are used again.
 */
async function endServer(dataDir: string): Promise<void> {
  const lines = readPidFile(dataDir)
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 1) return
  const { processes } = getSystem()
  if (isPidAlive(pid) && (await processes.isWorkingIn(pid, dataDir))) {
    signalProcess(pid, 'SIGQUIT')
    // Its supervisor may have died while it was paused for a snapshot.
    await resumeCluster(pid)
    const ended = await waitUntil(() => !isPidAlive(pid), { timeoutMs: 2_000 })
    if (!ended) signalProcess(pid, 'SIGKILL')
    await waitUntil(() => !isPidAlive(pid), { timeoutMs: 2_000 })
  }
  await removeSharedMemory(lines[6])
}

/** Each round ends those that were there when it began; one that starts others all the time is given up in the end. */
const maxEndings = 5

/**
 * Ends what the servers below `dir` have started and left: `COPY … TO PROGRAM` can start something that stays. What
 * has taken on another environment is not found.
 */
async function endPrograms(dir: string): Promise<void> {
  for (let round = 0; round < maxEndings; round += 1) {
    const left = await getSystem().processes.listStartedWith(`${dataVariable}=${dir}/`)
    if (left.length === 0) return
    for (const pid of left) {
      log('ending process %d, which a server has started and left', pid)
      signalProcess(pid, 'SIGKILL')
    }
  }
}

/**
 * A postmaster that was SIGKILLed leaves its System V segment (56 bytes, but there are only 4096):
 * the seventh line of postmaster.pid names its key and id.
 */
async function removeSharedMemory(line: string | undefined): Promise<void> {
  const id = line?.trim().split(/\s+/)[1]
  if (id === undefined || !/^\d+$/.test(id)) return
  const { stdout } = await execa('ipcs', ['-m', '-i', id], { reject: false })
  // Nobody attached, and of the size that Postgres makes: not a stranger's with a reused id.
  if (/bytes=56\b/.test(stdout ?? '') && /nattch=0\b/.test(stdout ?? ''))
    await execa('ipcrm', ['-m', id], { reject: false })
}
