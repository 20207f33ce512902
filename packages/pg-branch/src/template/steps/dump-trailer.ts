import { PgBranchError } from '../../lib/errors.ts'

const header = /^-- PostgreSQL database (cluster )?dump$/m
const trailer = /^-- PostgreSQL database (cluster )?dump complete$/m

/** Notices a text of pg_dump that was cut off between two statements, where nothing else tells. */
export class DumpTrailer {
  readonly #name: string
  #hasHeader = false
  #hasTrailer = false

  constructor(name: string) {
    this.#name = name
  }

  /** @param lines whole lines of the text, in order. */
  push(lines: string): void {
    this.#hasHeader ||= header.test(lines)
    this.#hasTrailer ||= trailer.test(lines)
  }

  /** @throws PgBranchError `PGB_STEP_FAILED` if the text began as a dump does, and did not end so. */
  end(): void {
    if (!this.#hasHeader || this.#hasTrailer) return
    throw new PgBranchError(`${this.#name} was cut off: the comment that pg_dump ends with is missing`, {
      code: 'PGB_STEP_FAILED',
      hint: 'Make the dump again. A text that was edited by hand is run as it is by sql(…).',
    })
  }
}
