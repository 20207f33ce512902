import type { DatabaseAddress } from '../lib/connection-uri.ts'

/** What branches are made from. */
export interface BranchSource {
  readonly key: string
  /** The database that URLs of its branches point at; with the strategy `database`, the template itself. */
  readonly database: string
}

/** An isolated, writable database system, or database, with its own address. */
export interface Branch extends Readonly<DatabaseAddress> {
  readonly id: string
  /** Directory of everything that belongs to it, its server's log included; it may not exist yet. */
  readonly dir: string
  /** Resolves when its server has ended, for whatever reason. */
  readonly exited: Promise<void>
}

/** How branches come to be: a new one is one file and passes the shared contract suite. */
export interface BranchStrategy<Source extends BranchSource = BranchSource> {
  readonly name: 'cluster' | 'database'
  readonly capabilities: {
    /** `fork` is cheaper with a used branch of the same template to start over from. */
    recycles: boolean
  }
  /** Does what is needed once for a template before branches are forked from it. */
  prepare(template: Source): Promise<void>
  /** @returns a branch that accepts connections. `recycle` is consumed, also on failure. */
  fork(template: Source, recycle?: Branch): Promise<Branch>
  /** Ends the server at once and leaves the rest for `fork` to start over from. */
  stop(branch: Branch): Promise<void>
  /** Ends the servers, or connections, at once and removes everything of these branches. */
  discard(branches: Branch[]): Promise<void>
}
