import { reportRun } from 'pg-branch/reporter'

/**
 * `reporters: ['default', 'jest-environment-pg-branch/reporter']`: after a run, where its template came
 * from, how many branches it had and how fast, and how to open those of failed tests.
 */
export default class PgBranchReporter {
  async onRunComplete(): Promise<void> {
    await reportRun({ runId: String(process.pid), print: (text) => process.stderr.write(`${text}\n`) })
  }
}
