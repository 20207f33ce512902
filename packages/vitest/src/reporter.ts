import { reportRun } from 'pg-branch/reporter'
import type { Reporter, Vitest } from 'vitest/node'

/**
 * `reporters: ['default', 'vitest-environment-pg-branch/reporter']`: after a run, where its template came
 * from, how many branches it had and how fast, and how to open those of failed tests.
 */
export default class PgBranchReporter implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  async onTestRunEnd(): Promise<void> {
    await reportRun({ runId: String(process.pid), print: (text) => this.#vitest?.logger.log(text) })
  }
}
