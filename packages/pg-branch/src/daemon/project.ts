import { PgBranchError } from '../lib/errors.ts'
import type { StatePaths } from '../lib/paths.ts'
import { choosePlace } from '../place/choose.ts'
import type { ClientVariables, OpenCatalog, Place, PlaceContext, PlaceKind } from '../place/contract.ts'
import type { Volumes } from '../place/volumes.ts'
import type { Built, TemplateReport } from '../protocol/protocol.ts'
import type { StartedServers } from '../reaper/started-servers.ts'
import type { BuildProgress } from '../template/build.ts'
import type { Builder } from '../template/builder.ts'
import type { Plan } from '../template/plan.ts'
import type { BuildRecord } from '../template/why.ts'
import { matchesPlan, openPlanner } from './planner.ts'
import { writeProjectRecord } from './project-record.ts'

export interface ProjectClient extends ClientVariables {
  /** The test run that it belongs to. */
  runId: string
}

/** Everything that branches of the present state of a project are made from. */
export interface ReadyProject extends Omit<Place, 'build'> {
  plan: Plan
  /** Names the place where its branches are made, see `PlaceKind`. */
  placeId: string
  /** The run that made it ready. */
  preparedFor: string | undefined
  build: Built & { reused: boolean; why: string | undefined }
}

/** @returns all that is to be said of a project, with what is said once only. */
export function takeNotices({ plan, news }: ReadyProject): string[] {
  return [...plan.notices, ...news.splice(0)]
}

export interface ProjectListeners {
  onProgress(progress: BuildProgress): void
  onBuilt(result: Built & { why: string }): void
}

/** For so long everyone of the same run is given the same error, unless an input changes: 200 test files must not fail 200 builds. */
const failureMs = 15_000

/**
 * One configuration of one directory.
 *
 * States: *unknown* → *preparing* (planning, perhaps building) → *ready*, or *failed*. From *ready* it
 * goes back to *preparing* when an input, a variable that was read, or the cache has changed; from
 * *failed* when an input has changed, some seconds have passed, or another run asks. Whoever asks during *preparing* waits
 * for the same result.
 */
export class Project {
  readonly rootDir: string
  readonly #configFile: string | undefined
  readonly #paths: StatePaths
  readonly #volumes: Volumes
  readonly #servers: StartedServers
  #ready: ReadyProject | undefined
  #preparing: Promise<ReadyProject> | undefined
  #failure: { error: unknown; until: number; runId: string; plan: Plan } | undefined
  #listeners = new Set<ProjectListeners>()
  /** Earlier states: branches of theirs may still be leased or kept. */
  readonly #retired = new Set<ReadyProject>()

  constructor(options: {
    rootDir: string
    configFile: string | undefined
    paths: StatePaths
    volumes: Volumes
    servers: StartedServers
  }) {
    this.rootDir = options.rootDir
    this.#configFile = options.configFile
    this.#paths = options.paths
    this.#volumes = options.volumes
    this.#servers = options.servers
  }

  get ready(): ReadyProject | undefined {
    return this.#ready
  }

  /** @returns the up-to-date state; checks every input first. */
  async prepare(client: ProjectClient, listeners: ProjectListeners): Promise<ReadyProject> {
    this.#listeners.add(listeners)
    try {
      // Whoever comes during a build may have seen a later change than the build did: look again.
      while (this.#preparing !== undefined) await this.#preparing.catch(() => {})
      const ready = this.#ready
      if (ready !== undefined && (await this.#isCurrent(ready, client))) return ready
      // Only the first of those who waited gets here with nothing under way.
      if (this.#preparing !== undefined) return await this.prepare(client, listeners)
      this.#throwKnownFailure(client)
      this.#preparing = this.#prepareNow(client).finally(() => (this.#preparing = undefined))
      return await this.#preparing
    } finally {
      this.#listeners.delete(listeners)
    }
  }

  async drain(): Promise<void> {
    await this.#preparing?.catch(() => {})
    await Promise.all(this.#listStates().map(({ origin }) => origin.pool.drain()))
  }

  /** After `drain`, when every branch has come back. */
  async close(): Promise<void> {
    const states = this.#listStates()
    this.#ready = undefined
    this.#retired.clear()
    await Promise.all(states.map((state) => state.close()))
  }

  #listStates(): ReadyProject[] {
    return [...this.#retired, ...(this.#ready === undefined ? [] : [this.#ready])]
  }

  async #isCurrent(ready: ReadyProject, client: ClientVariables): Promise<boolean> {
    if (!matchesPlan(ready.plan, client.env)) return false
    const { id } = await choosePlace(ready.plan, { client, servers: this.#servers })
    return ready.placeId === id && (await ready.isTemplateThere())
  }

  #throwKnownFailure({ env, runId }: ProjectClient): void {
    const failure = this.#failure
    if (failure === undefined) return
    const isSame = failure.runId === runId && performance.now() < failure.until && matchesPlan(failure.plan, env)
    if (isSame) throw failure.error
    this.#failure = undefined
  }

  /** @returns what `prepare` would build now, and why. */
  async explain(client: ProjectClient): Promise<TemplateReport> {
    await using planner = await openPlanner({ ...this.#place, env: client.env })
    const plan = await planner.getPlan()
    const { explain } = await choosePlace(plan, { client, servers: this.#servers })
    return await explain({ plan, last: planner.last, paths: this.#paths, volumes: this.#volumes, env: client.env })
  }

  /** Runs `action` on the plan as it is now, and the templates where its own would be. Nothing is built. */
  async withCatalog<T>(client: ProjectClient, action: (catalog: OpenCatalog, plan: Plan) => Promise<T>): Promise<T> {
    await using planner = await openPlanner({ ...this.#place, env: client.env })
    const plan = await planner.getPlan()
    const { openCatalog } = await choosePlace(plan, { client, servers: this.#servers })
    await using catalog = await openCatalog({ plan, env: client.env, paths: this.#paths, volumes: this.#volumes })
    return await action(catalog, plan)
  }

  async #prepareNow(client: ProjectClient): Promise<ReadyProject> {
    const { env, runId } = client
    await using planner = await openPlanner({ ...this.#place, env })
    try {
      const plan = await planner.getPlan()
      const ready = await this.#realise({
        plan,
        last: planner.last,
        env,
        runId,
        kind: await choosePlace(plan, { client, servers: this.#servers }),
        getBuilder: () => planner.getBuilder(),
      })
      this.#adopt(ready)
      return ready
    } catch (error) {
      // Without a plan it is not known what the error depends on: it is then not remembered.
      // Nor is what a server or the network says: it may be otherwise in a moment.
      const isOutside = error instanceof PgBranchError && error.code === 'PGB_SERVER'
      const { plan } = planner
      if (plan !== undefined && !isOutside) this.#failure = { error, until: performance.now() + failureMs, runId, plan }
      throw error
    }
  }

  get #place(): { rootDir: string; configFile: string | undefined; paths: StatePaths } {
    return { rootDir: this.rootDir, configFile: this.#configFile, paths: this.#paths }
  }

  async #realise(options: {
    plan: Plan
    last: BuildRecord | undefined
    env: ClientVariables['env']
    runId: string
    kind: PlaceKind
    getBuilder(): Promise<Builder>
  }): Promise<ReadyProject> {
    const { plan, last, env, kind } = options
    const startedAt = performance.now()
    const context: PlaceContext = {
      plan,
      last,
      env,
      paths: this.#paths,
      volumes: this.#volumes,
      getBuilder: options.getBuilder,
      onProgress: (progress) => this.#listeners.forEach((listener) => listener.onProgress(progress)),
    }
    const place = await kind.ensure(context)
    const { why, stepsRun, filesReused, byFastIngest, record } = place.build
    const build = {
      reused: why === undefined,
      why,
      buildMs: performance.now() - startedAt,
      steps: plan.steps.length,
      stepsRun,
      filesReused,
      byFastIngest,
    }
    if (why !== undefined) this.#listeners.forEach((listener) => listener.onBuilt({ ...build, why }))
    await writeProjectRecord(this.#paths, { rootDir: this.rootDir, configFile: this.#configFile, plan, built: record })
    return { ...place, plan, placeId: kind.id, preparedFor: options.runId, build }
  }

  #adopt(ready: ReadyProject): void {
    const old = this.#ready
    this.#ready = ready
    this.#failure = undefined
    ready.origin.pool.warm()
    if (old === undefined) return
    this.#retired.add(old)
    void old.origin.pool.drain()
  }
}
