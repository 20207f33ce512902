import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createClusterStrategy } from '../branch/cluster-strategy.ts'
import type { BranchStrategy } from '../branch/contract.ts'
import { Pool } from '../branch/pool.ts'
import { createLog } from '../lib/log.ts'
import type { StatePaths } from '../lib/paths.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { locatePostgres } from '../postgres/registry.ts'
import { buildTemplate, type BuildProgress } from '../template/build.ts'
import { startBuilder, type Builder } from '../template/builder.ts'
import { findChangedPath } from '../template/inputs.ts'
import { createKeys, type TemplateKeys } from '../template/keys.ts'
import type { Plan } from '../template/plan.ts'
import type { Template } from '../template/store.ts'
import { explainRebuild, type BuildRecord } from '../template/why.ts'
import { readProjectRecord, writeProjectRecord } from './project-record.ts'
import type { OpenVolume, Volumes } from './volumes.ts'

const log = createLog('project')

export type Env = Record<string, string | undefined>

/** Everything that branches of the present state of a project are made from. */
export interface ReadyProject {
  plan: Plan
  keys: TemplateKeys
  binaries: PostgresBinaries
  /** Providers and drivers that were not taken, with the reason. */
  rejected: string[]
  open: OpenVolume
  /** Where templates and branches are, for people. */
  volume: string
  template: Template
  strategy: BranchStrategy
  pool: Pool
  build: { reused: boolean; why: string | undefined; buildMs: number; steps: number; stepsRun: number }
}

export interface ProjectListeners {
  onProgress(progress: BuildProgress): void
  onBuilt(result: { why: string; buildMs: number; steps: number; stepsRun: number }): void
}

/** For so long the same error is given to everyone who asks, unless an input changes: 200 test files must not fail 200 builds. */
const failureMs = 15_000

/**
 * One configuration of one directory.
 *
 * States: *unknown* → *preparing* (planning, perhaps building) → *ready*, or *failed*. From *ready* it
 * goes back to *preparing* when an input, a variable that was read, or the cache has changed; from
 * *failed* when an input has changed or some seconds have passed. Whoever asks during *preparing* waits
 * for the same result.
 */
export class Project {
  readonly rootDir: string
  readonly #configFile: string | undefined
  readonly #paths: StatePaths
  readonly #volumes: Volumes
  #ready: ReadyProject | undefined
  #preparing: Promise<ReadyProject> | undefined
  #failure: { error: unknown; until: number; plan: Pick<Plan, 'signatures' | 'envReads'> } | undefined
  #listeners = new Set<ProjectListeners>()
  readonly #retired = new Set<Pool>()

  constructor(options: { rootDir: string; configFile: string | undefined; paths: StatePaths; volumes: Volumes }) {
    this.rootDir = options.rootDir
    this.#configFile = options.configFile
    this.#paths = options.paths
    this.#volumes = options.volumes
  }

  get ready(): ReadyProject | undefined {
    return this.#ready
  }

  /** @returns the pools of this and of earlier states. */
  get pools(): Pool[] {
    return [...this.#retired, ...(this.#ready === undefined ? [] : [this.#ready.pool])]
  }

  /** @returns the up-to-date state; checks every input first. */
  async prepare(env: Env, listeners: ProjectListeners): Promise<ReadyProject> {
    this.#listeners.add(listeners)
    try {
      // Whoever comes during a build may have seen a later change than the build did: look again.
      while (this.#preparing !== undefined) await this.#preparing.catch(() => {})
      const ready = this.#ready
      if (ready !== undefined && (await this.#isCurrent(ready, env))) return ready
      // Only the first of those who waited gets here with nothing under way.
      if (this.#preparing !== undefined) return await this.prepare(env, listeners)
      this.#throwKnownFailure(env)
      this.#preparing = this.#prepareNow(env).finally(() => (this.#preparing = undefined))
      return await this.#preparing
    } finally {
      this.#listeners.delete(listeners)
    }
  }

  async drain(): Promise<void> {
    await this.#preparing?.catch(() => {})
    await Promise.all(this.pools.map((pool) => pool.drain()))
  }

  async #isCurrent({ plan, template, open }: ReadyProject, env: Env): Promise<boolean> {
    if (!matchesPlan(plan, env)) return false
    return (await open.store.find(template.key)) !== undefined
  }

  #throwKnownFailure(env: Env): void {
    const failure = this.#failure
    if (failure === undefined) return
    const isSame = performance.now() < failure.until && matchesPlan(failure.plan, env)
    if (isSame) throw failure.error
    this.#failure = undefined
  }

  async #prepareNow(env: Env): Promise<ReadyProject> {
    const record = await readProjectRecord(this.#paths, this.rootDir, this.#configFile)
    let builder: Builder | undefined
    let plan: Plan | undefined
    try {
      if (record !== undefined && matchesPlan(record.plan, env)) plan = record.plan
      const getBuilder = async () => {
        builder = this.#startBuilder(env)
        plan = await builder.call.createPlan({ rootDir: this.rootDir, configFile: this.#configFile })
        return builder
      }
      if (plan === undefined) await getBuilder()
      const current = plan
      if (current === undefined) throw new Error('no plan was made')
      const ready = await this.#realise({
        plan: current,
        last: record?.built,
        getBuilder: async () => builder ?? getBuilder(),
      })
      this.#adopt(ready)
      return ready
    } catch (error) {
      // Without a plan it is not known what the error depends on: it is then not remembered.
      if (plan !== undefined) this.#failure = { error, until: performance.now() + failureMs, plan }
      throw error
    } finally {
      await builder?.stop()
    }
  }

  async #realise(options: {
    plan: Plan
    last: BuildRecord | undefined
    getBuilder(): Promise<Builder>
  }): Promise<ReadyProject> {
    const { plan, last } = options
    const { config } = plan
    const { binaries, rejected: otherPostgres } = await locatePostgres({
      ...config.postgres,
      baseDir: config.baseDir,
      binariesDir: this.#paths.binariesDir,
    })
    const open = await this.#volumes.open(config.volume)
    const keys = createKeys(plan, binaries)
    const sealedKey = keys.sealed.at(-1) ?? ''
    let broken: string | undefined
    let template = await open.store.find(sealedKey, (problem) => (broken = problem))
    const reused = template !== undefined
    const why = reused
      ? undefined
      : explainRebuild({ plan, baseKey: keys.base, rootKey: keys.layers[0] ?? '', sealedKey, last, broken })
    const startedAt = performance.now()
    let stepsRun = 0
    if (template === undefined) {
      log('building %s: %s', sealedKey, why)
      const onProgress = (progress: BuildProgress) =>
        this.#listeners.forEach((listener) => listener.onProgress(progress))
      const builder = await options.getBuilder()
      const logFile = join(this.#paths.logDir, 'build-server.log')
      const built = await buildTemplate({
        plan,
        keys,
        binaries,
        volume: open.volume,
        store: open.store,
        builder,
        logFile,
        onProgress,
      })
      template = built.template
      stepsRun = built.stepsRun
    }
    const build = { reused, why, buildMs: performance.now() - startedAt, steps: plan.steps.length, stepsRun }
    if (why !== undefined) this.#listeners.forEach((listener) => listener.onBuilt({ ...build, why }))
    await open.store.touch(sealedKey)
    await writeProjectRecord(this.#paths, {
      rootDir: this.rootDir,
      configFile: this.#configFile,
      plan,
      built: { sealedKey, baseKey: keys.base, rootKey: keys.layers[0] ?? '', steps: plan.steps },
    })
    const branchesDir = await open.getBranchesDir(template.bytes)
    const strategy = createClusterStrategy({ driver: open.volume.driver, binaries, branchesDir })
    // Both cores are wanted by the tests: more at the same time only makes each one later.
    const parallelForks = Math.max(1, Math.min(3, availableParallelism()))
    const pool = new Pool({ strategy, template, size: config.pool.size, parallelForks })
    const rejected = [...otherPostgres, ...open.volume.rejected].map(
      ({ candidate, reason }) => `${candidate}: ${reason}`,
    )
    const inMemory = branchesDir.startsWith('/dev/shm/') ? ', branches in memory (/dev/shm)' : ''
    const volume = `${open.volume.description}${inMemory}`
    return { plan, keys, binaries, rejected, open, volume, template, strategy, pool, build }
  }

  #adopt(ready: ReadyProject): void {
    const old = this.#ready?.pool
    this.#ready = ready
    this.#failure = undefined
    ready.pool.warm()
    if (old === undefined) return
    this.#retired.add(old)
    void old.drain()
  }

  #startBuilder(env: Env): Builder {
    const clean = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
    return startBuilder({ env: clean, cwd: this.rootDir, logFile: join(this.#paths.logDir, 'builder.log') })
  }
}

function matchesPlan(plan: Pick<Plan, 'signatures' | 'envReads'>, env: Env): boolean {
  const changed = findChangedPath(plan.signatures)
  if (changed !== undefined) {
    log('%s has changed', changed)
    return false
  }
  return Object.entries(plan.envReads).every(([name, value]) => (env[name] ?? null) === value)
}
