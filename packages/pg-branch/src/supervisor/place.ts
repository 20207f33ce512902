import type { BranchStrategy } from '../branch/contract.ts'
import type { LeaseGate } from '../branch/connection-slots.ts'
import type { Origin } from '../branch/origin.ts'
import type { StatePaths } from '../lib/paths.ts'
import type { BuildProgress } from '../template/build.ts'
import type { Builder } from '../template/builder.ts'
import type { Plan } from '../template/plan.ts'
import type { BuildRecord } from '../template/why.ts'
import type { Volumes } from './volumes.ts'

export interface PlaceContext {
  plan: Plan
  /** What this project was last built with. */
  last: BuildRecord | undefined
  paths: StatePaths
  volumes: Volumes
  /** Of the process that asks. */
  env: Record<string, string | undefined>
  getBuilder(): Promise<Builder>
  onProgress(progress: BuildProgress): void
}

/** Where the branches of a project are made: servers of our own, or one of the user's. */
export interface Place {
  templateKey: string
  /** Only what any strategy can do: forking is the pool's. */
  strategy: Pick<BranchStrategy, 'discard'>
  /** Its template. */
  origin: Origin
  /** What every lease has to pass. */
  gate: LeaseGate | undefined
  /** What one branch may use of the connections that all share; undefined where each has its own. */
  connectionsPerBranch: number | undefined
  /** Undefined `why`: the template was there. */
  build: { why: string | undefined; stepsRun: number; filesReused: number; record: BuildRecord }
  /** Which Postgres, where it keeps data, what would be faster, and what was not taken: for people. */
  postgres: string
  volume: string
  advice: string | undefined
  rejected: string[]
  /** The store that the template was fetched from just now. */
  fetchedFrom: string | undefined
  /** What became of a build, to be told to the first who hears it: whoever tells it takes it out. */
  news: string[]
  /** From now on branches are made such that tests can have one each. */
  expectTests(): void
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
