import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { findInstalled } from './installed.ts'
import { listPids, readProcess } from './processes.ts'
import { warmHomeVariable } from './warm-home.ts'

const packageDir = join(findInstalled(), 'pg-branch')
const packageVersion = (JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string })
  .version
export const cliFile = join(packageDir, 'dist/cli/main.js')

export interface TestHome {
  dir: string
  stateDir: string
  /** Of pg-branch. */
  version: string
  env: { PG_BRANCH_HOME: string }
  supervisorPid(): number | undefined
  /** What is there of running servers and of branches, builds and memory directories. */
  findLeftovers(): string[]
  readLog(name?: string): string
  /** Ends the supervisor. @returns what is still there some seconds later. */
  end(): Promise<string[]>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A PG_BRANCH_HOME of a test's own. Its disposal ends the supervisor and **fails the test** if
 * anything is left: a process, a branch, a half-built template, a directory in memory.
 */
export function makeHome({
  dir = mkdtempSync(join(tmpdir(), 'pgb-home-')),
  warm = true,
}: { dir?: string; warm?: boolean } = {}): TestHome {
  chmodSync(dir, 0o711)
  const stateDir = join(dir, packageVersion)
  if (warm) copyWarmParts(stateDir)
  const env = { PG_BRANCH_HOME: dir }
  process.env.PG_BRANCH_HOME = dir
  const home: TestHome = {
    dir,
    stateDir,
    version: packageVersion,
    env,
    supervisorPid() {
      try {
        const { pid } = JSON.parse(readFileSync(join(stateDir, 'supervisor.json'), 'utf8')) as { pid: number }
        return existsSync(`/proc/${pid}`) ? pid : undefined
      } catch {
        return undefined
      }
    },
    findLeftovers: () => [...findProcesses(dir), ...findDirectories(stateDir)],
    readLog(name = 'supervisor.log') {
      try {
        return readFileSync(join(stateDir, 'logs', name), 'utf8')
      } catch {
        return ''
      }
    },
    async end() {
      // Only whose home it is may connect to its supervisor.
      const { uid, gid } = statSync(dir)
      await execa(process.execPath, [cliFile, 'down'], { env, reject: false, ...(uid === 0 ? {} : { uid, gid }) })
      return settle(() => home.findLeftovers())
    },
    async [Symbol.asyncDispose]() {
      const leftovers = await home.end()
      const log = leftovers.length === 0 ? '' : home.readLog()
      await rm(dir, { recursive: true, force: true }).catch(() => {})
      if (leftovers.length > 0) throw new Error(`left behind:\n${leftovers.join('\n')}\n${log.slice(-3000)}`)
    },
  }
  return home
}

function copyWarmParts(stateDir: string): void {
  const from = join(process.env[warmHomeVariable] ?? '/nowhere', packageVersion)
  if (!existsSync(from)) return
  mkdirSync(stateDir, { mode: 0o711 })
  execFileSync('cp', ['-al', join(from, 'postgres'), join(stateDir, 'postgres')])
  execFileSync('cp', ['-a', join(from, 'templates'), join(stateDir, 'templates')])
}

/** Some things end a moment after they were told to. @returns what is left after at most `timeoutMs`. */
export async function settle<T>(find: () => T[], timeoutMs = 5_000): Promise<T[]> {
  const deadline = performance.now() + timeoutMs
  let found = find()
  while (found.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    found = find()
  }
  return found
}

/** Processes that work in, were started for, or are named after this home. */
function findProcesses(dir: string): string[] {
  const found: string[] = []
  const memoryDirs = listPlaces(join(dir, packageVersion))
  for (const pid of listPids()) {
    try {
      const command = readProcess(pid, 'cmdline').replaceAll('\0', ' ')
      const cwd = readlinkSync(`/proc/${pid}/cwd`)
      const environment = readProcess(pid, 'environ')
      const isOurs = [dir, ...memoryDirs].some((place) => cwd.startsWith(place) || command.includes(place))
      const isHelper = environment.includes(`PG_BRANCH_HOME=${dir}\0`) && /pg-branch|reaper|\/bin\/sh/.test(command)
      if (pid !== process.pid && (isOurs || isHelper)) found.push(`process ${pid}: ${command} (in ${cwd})`)
    } catch {
      // It has ended.
    }
  }
  return found
}

function listPlaces(stateDir: string): string[] {
  try {
    return (JSON.parse(readFileSync(join(stateDir, 'places.json'), 'utf8')) as Array<{ path: string }>).map(
      ({ path }) => path,
    )
  } catch {
    return []
  }
}

function findDirectories(stateDir: string): string[] {
  const found: string[] = []
  for (const place of listPlaces(stateDir)) {
    if (!existsSync(place)) continue
    for (const name of readdirSync(place)) found.push(`directory ${join(place, name)}`)
    if (place.startsWith('/dev/shm/')) found.push(`directory ${place}`)
  }
  return found
}
