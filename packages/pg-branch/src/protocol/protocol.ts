import type { TableDiff } from '../diff/compare-rows.ts'
import type { ConnectionInfo } from '../gateway/ledger.ts'
import type { LeftOver } from '../gateway/quiesce.ts'
import type { Statement } from '../gateway/usage.ts'
import type { BuildProgress } from '../template/build.ts'
import type { CatalogFunctions } from './catalog-protocol.ts'
import type { NamedBranchFunctions } from './named-protocol.ts'

export type { TableDiff } from '../diff/compare-rows.ts'

/** Raised whenever a client and a supervisor of different code could misunderstand each other. */
export interface Hello {
  version: string
}

export interface ProjectRequest {
  /** The test root: the configuration is looked for from here upwards. */
  rootDir: string
  /** Environment options as the user wrote them; validated by the supervisor. */
  options: unknown
  /** Variables of the client, without any way to a real database. */
  env: Record<string, string | undefined>
  /** The URLs that were taken out of `env`, by variable: only one that the configuration names as its server is used. */
  withheld: Record<string, string>
  /** Names one test run: holders of one run may pass a branch on (scope `worker`). */
  runId: string
}

export interface LeaseRequest extends ProjectRequest {
  /** `test`: its address stays while one branch after the other is behind it. */
  scope: 'file' | 'worker' | 'test'
  /** Who holds the lease, for people, e.g. the test file's path. */
  holder: string
}

export interface LeaseAnswer {
  leaseId: string
  branchId: string
  variables: Record<string, string>
  /** To be shown to the user. */
  notices: string[]
  /** Whether the branch had been made ahead of need. */
  warm: boolean
}

export interface TemplateRequest extends ProjectRequest {
  /** Only says what would be done. */
  dryRun: boolean
}

/** What a template is made from, and what of it was, or would have to be, made now. */
export interface TemplateReport {
  key: string
  /** Undefined: it was there. */
  why: string | undefined
  /** The store that has it: it would be fetched, and not built. */
  fetchFrom?: string | undefined
  steps: Array<{
    label: string
    /** `cached`: its result is there. `rest`: only what was added, from `from` on. `whole`: all of it. */
    runs: 'cached' | 'rest' | 'whole'
    from?: string | undefined
  }>
  notices: string[]
}

/** What can be done with a lease of scope `test`. */
export interface ResetRequest {
  leaseId: string
  /** For people: the test that begins. Undefined: the present one goes on, and its log too. */
  next?: string | undefined
  /** Set when the test that ends failed: its branch is kept, and this says for what. */
  failed?: string | undefined
  /** Name of a snapshot. Default: what the lease began with. */
  to?: string | undefined
}

/** How a reset came to a fresh branch: nothing had been written, so that it still is one, or by a fork. */
export type Rung = 'pristine' | 'fork'

export interface ResetAnswer extends ReleaseAnswer {
  rung: Rung
  /** Connections that were closed, since what was open on them cannot move to a fresh branch. */
  leftOver: LeftOver[]
}

export interface SnapshotRequest {
  leaseId: string
  name: string
  /** For people: the test that begins. */
  next?: string | undefined
}

export interface ForkRequest {
  leaseId: string
  holder: string
  /** Name of a snapshot. Default: the present state. */
  from?: string | undefined
}

/** What a lease's clients do, and have done since the last reset. */
export interface ActivityAnswer {
  statements: Statement[]
  connections: ConnectionInfo[]
}

export interface ReleaseRequest {
  leaseId: string
  /** Set when a test failed: the branch is kept, and this says for what. */
  failed?: string | undefined
}

export interface ReleaseAnswer {
  /** Command that opens the kept branch. */
  psqlLine?: string | undefined
  keptForMs?: number | undefined
}

/** What a build did. */
export interface Built {
  buildMs: number
  steps: number
  stepsRun: number
  /** Counts the files of the first step that ran whose result was there already. */
  filesReused: number
  byFastIngest: boolean
}

export interface ProgressReport extends BuildProgress {
  /** Set in the last report of a build. */
  done?: Built & { why: string }
  /** Whether this client is the one to tell the user; exactly one is. */
  speak: boolean
}

export interface SupervisorStatus {
  version: string
  pid: number
  startedAt: string
  sessions: number
  projects: Array<{
    rootDir: string
    template: string
    reused: boolean
    why: string | undefined
    buildMs: number
    volume: string
    advice: string | undefined
    postgres: string
    /** Providers and drivers that were not taken, each with the reason. */
    rejected: string[]
    pool: { ready: number; warming: number; leased: number; dirty: number }
    leases: number
    /** Milliseconds from request to answer, of warm and cold leases alike; the last thousand. */
    leaseMs: number[]
    /** Milliseconds to make one branch in the background; the last thousand. */
    forkMs: readonly number[]
    /** Milliseconds to end and remove one branch, in batches; the last thousand batches. */
    removeMs: readonly number[]
  }>
  /** Time until which it goes on even if nobody needs it. */
  staysUntil: string | undefined
  /** Names of branches, by the directory of their project. */
  branches: Array<{ baseDir: string; name: string }>
  kept: Array<{ branchId: string; reason: string; psqlLine: string; expiresAt: number }>
}

/** What one test run did in one project, for people. */
export interface RunReport {
  baseDir: string
  template: string
  /** Why the template was built for this run; undefined: it was there. */
  built: string | undefined
  buildMs: number
  fetchedFrom: string | undefined
  postgres: string
  volume: string
  /** What would be faster. */
  advice: string | undefined
  /** Milliseconds from request to answer of every lease. */
  leaseMs: number[]
  /** Leases that were served with a branch made ahead. */
  warm: number
  /** Milliseconds to make a branch in the background, the last thousand. */
  forkMs: readonly number[]
  /** Branches for single tests, and how many of these were the one before, since nothing had been written. */
  resets: number
  pristine: number
  kept: Array<{ reason: string; psqlLine: string; forMs: number }>
}

/** What a client may ask of the supervisor. A lease ends at the latest when its socket closes. */
export interface SupervisorFunctions extends NamedBranchFunctions, CatalogFunctions {
  hello(hello: Hello): Promise<void>
  lease(request: LeaseRequest): Promise<LeaseAnswer>
  release(request: ReleaseRequest): Promise<ReleaseAnswer>
  /** Begins the next test, on a fresh branch at the same address. */
  reset(request: ResetRequest): Promise<ResetAnswer>
  /** Saves the present state, in place of an earlier snapshot of that name. */
  snapshot(request: SnapshotRequest): Promise<void>
  dropSnapshot(request: SnapshotRequest): Promise<void>
  /** Leases a branch of the present state, or of a snapshot; of scope `test` too. */
  fork(request: ForkRequest): Promise<LeaseAnswer>
  /** Counts the rows that differ from what the branch was forked from, table by table. */
  diff(request: { leaseId: string }): Promise<TableDiff[]>
  getActivity(request: { leaseId: string }): Promise<ActivityAnswer>
  /** Builds the template of a project unless it is there, without a lease. */
  build(request: TemplateRequest): Promise<TemplateReport>
  status(): Promise<SupervisorStatus>
  /** @returns what a run has done since it was asked for last. */
  takeRun(request: { runId: string }): Promise<RunReport[]>
  /** Goes on until then even if nobody needs it; servers are kept ready. */
  stay(request: { untilMs: number }): Promise<void>
  /** Discards every branch and ends the supervisor. */
  shutdown(): Promise<void>
}

/** What a client hears while it waits. */
export interface ClientFunctions {
  onProgress(report: ProgressReport): void
}
