import type { DatabaseAddress } from '../lib/connection-uri.ts'
import type { Control } from './control.ts'

/** What branches are made from. */
export interface BranchSource {
  readonly key: string
  /** The database that URLs of its branches point at; with the strategy `database`, the template itself. */
  readonly database: string
  /** Whether it is a snapshot of a branch, in which `onFork` was run already. */
  readonly isSnapshot?: boolean | undefined
}

/** An isolated, writable database system, or database, with its own address. */
export interface Branch extends Readonly<DatabaseAddress> {
  readonly id: string
  /** Directory of everything that belongs to it, its server's log included; it may not exist yet. */
  readonly dir: string
  /** Resolves when its server has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** How we reach it ourselves, with every right; never shown to tests. */
  readonly admin: Readonly<DatabaseAddress>
  /** Directory of its server's socket, at which every role is let in and which only we can enter. */
  readonly socketDir?: string | undefined
  /** A connection of ours that is open already. It ends with the branch. */
  readonly control?: Control | undefined
  /** By what is known that it was never written to; undefined where it shares its WAL with others. */
  readonly baseline?: { lsn: string; areSettingsUntouched(): boolean } | undefined
}

export interface ForkOptions<Handle extends Branch> {
  /** A used branch of the same source to start over from; it is consumed, also on failure. */
  recycle: Handle | undefined
  /** Whether a connection of ours is to stay open, which makes resets cheap; where connections are shared it does not. */
  keepsControl: boolean
}

/**
 * How branches come to be, and snapshots of them: a new strategy is one file and passes the shared contract suite.
 * Room is left for movements such as a rewind in place, sleeping and waking: they are of a `Handle`.
 */
export interface BranchStrategy<
  Source extends BranchSource = BranchSource,
  /** What the strategy itself keeps of a branch; nobody else looks into it. */
  Handle extends Branch = Branch,
> {
  readonly name: 'cluster' | 'database'
  readonly capabilities: {
    /** `fork` is cheaper with a used branch of the same source to start over from. */
    recycles: boolean
    /** `snapshot` takes a branch as it is while others write to it; else nobody may be connected. */
    liveSnapshots: boolean
    /** Forks of a template may differ: SQL of the user's is run in each. */
    varies: boolean
  }
  /** @returns a branch that accepts connections. */
  fork(source: Source, options: ForkOptions<Handle>): Promise<Handle>
  /**
   * Saves the state of a branch, to fork from. What was committed before the call is in it, and nothing
   * by half. The branch may be gone before the snapshot, and the other way round.
   *
   * @throws PgBranchError `PGB_SNAPSHOT`.
   */
  snapshot(branch: Handle): Promise<Source>
  /** Removes a snapshot. */
  forget(snapshot: Source): Promise<void>
  /** Ends the server at once and leaves the rest for `fork` to start over from. */
  stop(branch: Handle): Promise<void>
  /** Ends the servers, or connections, at once and removes everything of these branches. */
  discard(branches: Handle[]): Promise<void>
}
