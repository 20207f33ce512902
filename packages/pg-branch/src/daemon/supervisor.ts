import { closeSync, openSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createRandomHex } from '../lib/hash.ts'
import { readSignature } from '../lib/inputs.ts'
import { createLog } from '../lib/log.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import type { StatePaths } from '../lib/paths.ts'
import { removeSocketPath } from '../lib/socket-path.ts'
import { packageVersion } from '../lib/version.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { Volumes } from '../place/volumes.ts'
import type { SupervisorStatus } from '../protocol/protocol.ts'
import { removeOldChunks } from '../reaper/find-garbage.ts'
import { startGuardian } from '../reaper/guardian.ts'
import { reapDead, reapGenerationNow } from '../reaper/reaper.ts'
import { StartedServers } from '../reaper/started-servers.ts'
import { winElection } from './election.ts'
import { Leases } from './leases.ts'
import { NamedBranches } from './named-branches.ts'
import { Project } from './project.ts'
import { serveSession, type SessionHost } from './session.ts'
import { describeHoldings } from './status.ts'

const log = createLog('supervisor')

const mainFile = fileURLToPath(import.meta.url)
const watchIntervalMs = 1_000
/** Whoever tells the supervisor to end waits no longer. */
const maxLeaveMs = 8_000

/**
 * Runs the supervisor of a state directory until it is idle, told to stop, or no longer elected.
 *
 * States: *electing* → *serving* → *leaving* → *gone*. *Leaving* begins when there has been neither a
 * client nor a kept or named branch for the idle time, on SIGTERM or SIGINT or `shutdown`, or when its socket or
 * its own program was replaced; the socket is closed first, so that clients start the next supervisor.
 *
 * @returns false if another supervisor was there already.
 */
export async function runSupervisor(paths: StatePaths): Promise<boolean> {
  makePrivateDir(paths.homeDir, { enterable: true })
  makePrivateDir(paths.stateDir, { enterable: true })
  makePrivateDir(paths.logDir)
  const election = await winElection(paths.stateDir)
  if (election === undefined) return false
  const supervisor = new Supervisor(paths)
  election.server.on('connection', (socket) => supervisor.serve(socket))
  await supervisor.run({
    socketPath: election.socketPath,
    isStillElected: election.isStillElected,
    closeDoor: () => election.server.close(),
  })
  return true
}

class Supervisor implements SessionHost {
  readonly leases = new Leases()
  readonly branches = new NamedBranches(this.leases)
  readonly paths: StatePaths
  readonly #generation = createRandomHex(6)
  readonly #volumes: Volumes
  readonly #servers: StartedServers
  readonly #projects = new Map<string, Project>()
  readonly #sessions = new Set<Promise<void>>()
  readonly #sockets = new Set<Socket>()
  readonly #startedAt = new Date()
  readonly #ownSignature = readSignature(mainFile)
  readonly #told = new Map<string, Set<string>>()
  readonly #voices = new Set<string>()
  #staysUntil = 0
  #toldAt: number | undefined
  #lastUsedAt = performance.now()
  #leave: () => void = () => {}
  readonly #leaving = new Promise<void>((resolve) => (this.#leave = resolve))

  constructor(paths: StatePaths) {
    this.paths = paths
    this.#volumes = new Volumes({ paths, generation: this.#generation })
    this.#servers = new StartedServers(paths.stateDir)
  }

  serve(socket: Socket): void {
    this.#sockets.add(socket)
    const session = serveSession(socket, this).finally(() => {
      this.#sockets.delete(socket)
      this.#sessions.delete(session)
      this.#lastUsedAt = performance.now()
    })
    this.#sessions.add(session)
  }

  async run({
    socketPath,
    isStillElected,
    closeDoor,
  }: {
    socketPath: string
    isStillElected(): boolean
    closeDoor(): void
  }): Promise<void> {
    const { stateDir, homeDir, logDir, supervisorFile } = this.paths
    log('version %s, pid %d, serves %s', packageVersion, process.pid, stateDir)
    await writeWhole(supervisorFile, JSON.stringify({ pid: process.pid, version: packageVersion }), { mode: 0o600 })
    const logFd = openSync(join(logDir, 'reaper.log'), 'a', 0o600)
    const endGuardian = startGuardian({ homeDir, logFd })
    closeSync(logFd)
    const reaping = reapDead(stateDir).catch((error: unknown) => log('reaping failed: %O', error))
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.shutDown())
    const watch = setInterval(() => {
      const reason = this.#findReasonToLeave(isStillElected)
      if (reason === undefined) return
      log('leaving: %s', reason)
      this.#leave()
    }, watchIntervalMs)
    await this.#leaving
    clearInterval(watch)
    const wasElected = isStillElected()
    closeDoor()
    const forced = this.#endAnyway({ supervisorFile, wasElected })
    if (wasElected) await removeSocketPath(stateDir, socketPath)
    await reaping
    // Holders of leases may finish; a shutdown has ended them, and hangs up.
    await Promise.all(this.#sessions)
    await this.#discardAll()
    await this.#evictAndClose()
    await reapGenerationNow(stateDir, this.#generation)
    if (wasElected) await rm(supervisorFile, { force: true })
    clearInterval(forced)
    endGuardian()
    log('gone')
  }

  /**
   * A store that hangs, or a server that does not stop, must not keep whoever wants this to end. The guardian, whose
   * standard input closes, removes what is left.
   */
  #endAnyway({ supervisorFile, wasElected }: { supervisorFile: string; wasElected: boolean }): NodeJS.Timeout {
    return setInterval(() => {
      // Holders of leases may take as long as they like, unless this was told to end.
      if (this.#toldAt === undefined || performance.now() - this.#toldAt < maxLeaveMs) return
      log('gone by force: something did not end')
      if (wasElected) rmSync(supervisorFile, { force: true })
      process.exit(0)
    }, watchIntervalMs)
  }

  findProject({ rootDir, configFile }: { rootDir: string; configFile: string | undefined }): Project {
    const key = JSON.stringify([rootDir, configFile])
    let project = this.#projects.get(key)
    if (project === undefined) {
      project = new Project({ rootDir, configFile, paths: this.paths, volumes: this.#volumes, servers: this.#servers })
      this.#projects.set(key, project)
    }
    return project
  }

  takeNotices(runId: string, notices: string[]): string[] {
    const told = this.#told.get(runId) ?? new Set()
    this.#told.set(runId, told)
    const fresh = notices.filter((notice) => !told.has(notice))
    for (const notice of fresh) told.add(notice)
    return fresh
  }

  claimVoice(runId: string): { release(): void } | undefined {
    if (this.#voices.has(runId)) return undefined
    this.#voices.add(runId)
    return { release: () => this.#voices.delete(runId) }
  }

  getStatus(): SupervisorStatus {
    return {
      startedAt: this.#startedAt.toISOString(),
      sessions: this.#sessions.size,
      ...describeHoldings({ projects: this.#projects.values(), leases: this.leases, branches: this.branches }),
      staysUntil: this.#staysUntil > Date.now() ? new Date(this.#staysUntil).toISOString() : undefined,
    }
  }

  stay(untilMs: number): void {
    this.#staysUntil = untilMs
  }

  async shutDown(): Promise<void> {
    log('leaving: told to')
    this.#toldAt ??= performance.now()
    this.#leave()
    // Whatever hangs.
    await Promise.race([this.#discardAll(), sleep(maxLeaveMs / 2, undefined, { ref: false })])
    // In a moment, so that whoever asked for it has the answer.
    setTimeout(() => this.#sockets.forEach((socket) => socket.end()), 50)
  }

  #findReasonToLeave(isStillElected: () => boolean): string | undefined {
    if (!isStillElected()) return 'the socket is not there any more'
    // Whoever reinstalls packages does not mean their databases.
    const isReplaced = this.branches.size === 0 && readSignature(mainFile) !== this.#ownSignature
    if (isReplaced) return 'pg-branch was replaced by another version'
    if (this.#staysUntil > Date.now()) return undefined
    if (this.#sessions.size > 0 || this.leases.kept.list.length > 0 || this.branches.size > 0) return undefined
    const idleMs = performance.now() - this.#lastUsedAt
    const limits = [...this.#projects.values()].map(({ ready }) => ready?.plan.config.idleTimeoutMs ?? defaultIdleMs)
    return idleMs > Math.max(...limits, limits.length === 0 ? defaultIdleMs : 0)
      ? `idle for ${Math.round(idleMs)} ms`
      : undefined
  }

  async #discardAll(): Promise<void> {
    await this.branches.removeAll()
    await this.leases.closeAll()
    await Promise.all([...this.#projects.values()].map((project) => project.drain()))
  }

  async #evictAndClose(): Promise<void> {
    await removeOldChunks(this.paths).catch((error: unknown) => log('chunks stay: %O', error))
    for (const project of this.#projects.values()) {
      await project.ready?.evict().catch((error: unknown) => log('eviction failed: %O', error))
      await project.close()
    }
    await this.#servers.removeAll()
  }
}

const defaultIdleMs = 30_000
