import type { Origin } from '../branch/origin.ts'
import type { StatePaths } from '../lib/paths.ts'
import type { TemplateReport } from '../protocol/protocol.ts'
import type { BuildProgress } from '../template/build.ts'
import type { Builder } from '../template/builder.ts'
import type { TemplateCatalog } from '../template/catalog.ts'
import type { Plan } from '../template/plan.ts'
import type { Template } from '../template/store.ts'
import type { BuildRecord } from '../template/why.ts'
import type { Exchange, ExchangeContext } from './cluster/exchange.ts'
import type { LeaseGate } from './server/connection-slots.ts'
import type { Volumes } from './volumes.ts'

/** Variables of the process that asks: without any way to a database, and apart from them the URLs that were taken out. */
export interface ClientVariables {
  env: Record<string, string | undefined>
  withheld: Record<string, string>
}

/** What has to be known before anything is looked for or made. */
export interface PlaceContext {
  plan: Plan
  /** What this project was last built with. */
  last: BuildRecord | undefined
  paths: StatePaths
  volumes: Volumes
  /** Variables of the process that asks. */
  env: ClientVariables['env']
  getBuilder(): Promise<Builder>
  onProgress(progress: BuildProgress): void
}

/**
 * A way to have branches made: servers of our own on a volume, or databases on a server of the user's.
 * Another is a folder beside these two, and a line in `choose.ts`, where alone it is asked which.
 */
export interface PlaceKind {
  /** Whether a place that was made ready is still the one that is meant: it is if this is the same. */
  readonly id: string
  /** Has the template there, built if need be, and all that branches of it need. */
  ensure(context: PlaceContext): Promise<Place>
  /** @returns what `ensure` would do now, and why. Nothing is built, and nothing is run on a server but look-ups. */
  explain(context: ExplainContext): Promise<TemplateReport>
  openCatalog(context: CatalogContext): Promise<OpenCatalog>
}

export type ExplainContext = Omit<PlaceContext, 'getBuilder' | 'onProgress'>

export type CatalogContext = Pick<PlaceContext, 'plan' | 'env' | 'paths' | 'volumes'>

/** The templates where those of a plan are, while somebody looks at them. */
export interface OpenCatalog extends TemplateCatalog, AsyncDisposable {
  /** Undefined where there are none that could be copied. */
  openFiles: (() => Promise<TemplateFiles>) | undefined
  /** @returns what the project's next branches are made from, and then the layers of it; empty if that cannot be told. */
  listCurrentKeys(): Promise<string[]>
}

/** For what can be copied from here to elsewhere. */
export interface TemplateFiles {
  /** Names the plan's template, whether it is there or not. */
  key: string
  find(key: string): Promise<Template | undefined>
  openExchange(store: string, options: Pick<ExchangeContext, 'onProgress'>): Exchange
}

/** Where the branches of a project are made, with its template there. */
export interface Place {
  templateKey: string
  /** Its template. */
  origin: Origin
  /** What every lease has to pass. */
  gate: LeaseGate | undefined
  /** What one branch may use of the connections that all share; undefined where each has its own. */
  connectionsPerBranch: number | undefined
  /** Undefined `why`: the template was there. */
  build: { why: string | undefined; stepsRun: number; filesReused: number; byFastIngest: boolean; record: BuildRecord }
  /** Which Postgres, where it keeps data, what would be faster, and what was not taken: for people. */
  postgres: string
  volume: string
  advice: string | undefined
  rejected: string[]
  /** The store that the template was fetched from just now. */
  fetchedFrom: string | undefined
  /** What became of a build, to be told to the first who hears it: whoever tells it takes it out. */
  news: string[]
  isTemplateThere(): Promise<boolean>
  /**
   * @param key the beginning of a cached template's.
   * @returns what forks from it, with one user. @throws PgBranchError `PGB_TEMPLATE_UNKNOWN`.
   */
  openTemplate(key: string): Promise<Origin>
  /** Removes templates that have not been used for long. */
  evict(): Promise<void>
  /** Gives up what is held open beside branches. */
  close(): Promise<void>
}
