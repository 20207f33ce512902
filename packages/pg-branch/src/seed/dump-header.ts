import { PgBranchError } from '../lib/errors.ts'

const marks = /^-- PostgreSQL database (cluster )?dump( complete)?\s*$/gm

/** Follows a text to see whether it is one of pg_dump or pg_dumpall, and whether that is whole. */
export class DumpHeader {
  readonly #name: string
  #kind: 'database' | 'cluster' | undefined
  /** What has begun and not ended: a dump of a server holds those of its databases. */
  readonly #open: string[] = []

  constructor(name: string) {
    this.#name = name
  }

  /** Whether pg_dump or pg_dumpall has written it, as far as it has been read. */
  get isDump(): boolean {
    return this.#kind !== undefined
  }

  /** Whether it is one of a whole server. */
  get isCluster(): boolean {
    return this.#kind === 'cluster'
  }

  /** @param lines whole lines of the text, in order. */
  push(lines: string): void {
    for (const [, cluster, complete] of lines.matchAll(marks)) {
      const kind = cluster === undefined ? 'database' : 'cluster'
      if (complete === undefined) {
        this.#kind ??= kind
        this.#open.push(kind)
      } else if (this.#open.at(-1) === kind) this.#open.pop()
    }
  }

  /**
   * @param text.isEmpty whether there was not a byte.
   * @throws PgBranchError `PGB_STEP_FAILED` if the text began as a dump does, and did not end so, or is none at all.
   */
  requireEnd({ isEmpty }: { isEmpty: boolean }): void {
    if (isEmpty) {
      throw new PgBranchError(`${this.#name} is empty`, {
        code: 'PGB_STEP_FAILED',
        hint: 'Did the pg_dump fail that was to write it? Make the dump again.',
      })
    }
    if (this.#open.length === 0) return
    throw new PgBranchError(`${this.#name} was cut off: the comment that pg_dump ends with is missing`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Make the dump again. A text that was edited by hand is run as it is by sql(…).',
    })
  }
}
