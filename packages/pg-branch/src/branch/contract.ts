import type { Template } from '../template/store.ts'

/** An isolated, writable database system with its own address. */
export interface Branch {
  readonly id: string
  readonly template: Template
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Directory of everything that belongs to it, its server's log included. */
  readonly dir: string
  /** Resolves when its server has ended, for whatever reason. */
  readonly exited: Promise<void>
}

/** How branches come to be: a new one is one file and passes the shared contract suite. */
export interface BranchStrategy {
  readonly name: 'cluster'
  readonly capabilities: {
    /** `fork` is cheaper with a used branch of the same template to start over from. */
    recycles: boolean
  }
  /** Does what is needed once for a template before branches are forked from it. */
  prepare(template: Template): Promise<void>
  /** @returns a started branch that has answered a first query. `recycle` is consumed, also on failure. */
  fork(template: Template, recycle?: Branch): Promise<Branch>
  /** Ends the server at once and leaves the rest for `fork` to start over from. */
  stop(branch: Branch): Promise<void>
  /** Ends the servers at once and removes everything of these branches. */
  discard(branches: Branch[]): Promise<void>
}
