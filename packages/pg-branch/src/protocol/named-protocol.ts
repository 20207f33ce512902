import type { DatabaseDiff } from '../diff/compare-databases.ts'
import type { ProjectRequest } from './protocol.ts'

/** Which project's branches: the one that the nearest configuration from `rootDir` upwards belongs to. */
export interface ProjectRef {
  rootDir: string
  /** Path of the configuration file, relative to `rootDir`. Default: the nearest one upwards. */
  config?: string | undefined
}

export interface BranchRef extends ProjectRef {
  name: string
}

export interface CreateBranchRequest extends ProjectRequest {
  name: string
  /** After so long it is removed; null: never. Undefined: the default for a new one, as it was for one that is there. */
  ttlMs?: number | null | undefined
  labels: Record<string, string>
  /** What it begins as, see `StateRef`. Default: the project's template. */
  from?: string | undefined
}

/** A branch that somebody asked for by name: it lives on when its maker's process ends. */
export interface BranchInfo {
  name: string
  /** Directory of the configuration that it was made for. */
  baseDir: string
  /** What it was made from, as a `StateRef`. */
  from: string
  /** Key of the template that its state goes back to. */
  template: string
  createdAt: string
  /** Undefined: it stays until it is removed or the supervisor ends. */
  expiresAt?: string | undefined
  labels: Record<string, string>
  snapshots: string[]
  connections: number
}

export interface BranchAccess extends BranchInfo {
  variables: Record<string, string>
  /** Opens it, with the password in a file. */
  psqlLine: string
}

/** @property created whether it was not there before. */
export interface CreateBranchAnswer extends BranchAccess {
  created: boolean
  notices: string[]
}

export interface DiffRequest extends ProjectRequest {
  before: string
  after: string
  /** Rows of each table to show. */
  samples: number
}

/**
 * What people do with branches that they name. A *state* is written as in `StateRef`: `dev`, a branch as it
 * is; `dev@name`, its snapshot; `template`, the project's; `template:1a2b`, any that is cached.
 */
export interface NamedBranchFunctions {
  /** Makes a branch, unless there is one of that name. */
  createBranch(request: CreateBranchRequest): Promise<CreateBranchAnswer>
  /** Without a project: those of all. */
  listBranches(request: { project?: ProjectRef | undefined }): Promise<BranchInfo[]>
  getBranch(branch: BranchRef): Promise<BranchAccess>
  /** Saves its state, in place of an earlier snapshot of that name. */
  snapshotBranch(request: BranchRef & { snapshot: string }): Promise<void>
  /** Goes back to a snapshot, or to what it was made from. @returns how many connections had to be closed. */
  restoreBranch(request: BranchRef & { snapshot?: string | undefined }): Promise<{ closed: number }>
  diffStates(request: DiffRequest): Promise<DatabaseDiff>
  removeBranch(branch: BranchRef): Promise<void>
}
