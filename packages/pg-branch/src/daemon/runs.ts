import type { RunReport, Rung } from '../protocol/protocol.ts'
import type { ReadyProject } from './project.ts'

interface Record {
  leaseMs: number[]
  warm: number
  resets: number
  pristine: number
  kept: RunReport['kept']
}

/** Runs of which nobody has asked for a report are forgotten, the oldest first. */
const maxRuns = 50
const sampleSize = 10_000

/** What became of each test run, for whoever reports it. */
export class Runs {
  readonly #runs = new Map<string, Map<ReadyProject, Record>>()

  addLease(runId: string, project: ReadyProject, { durationMs, warm }: { durationMs: number; warm: boolean }): void {
    const record = this.#get(runId, project)
    if (record.leaseMs.length < sampleSize) record.leaseMs.push(durationMs)
    if (warm) record.warm += 1
  }

  addReset(runId: string, project: ReadyProject, rung: Rung): void {
    const record = this.#get(runId, project)
    record.resets += 1
    if (rung === 'pristine') record.pristine += 1
  }

  addKept(runId: string, project: ReadyProject, kept: RunReport['kept'][number]): void {
    this.#get(runId, project).kept.push(kept)
  }

  /** @returns what a run has done since it was asked for last, one for each project. */
  take(runId: string): RunReport[] {
    const records = this.#runs.get(runId) ?? new Map<ReadyProject, Record>()
    this.#runs.delete(runId)
    const reports = [...records].map(([project, { leaseMs, warm, resets, pristine, kept }]) => ({
      baseDir: project.plan.config.baseDir,
      template: project.templateKey,
      // It may have been built for an earlier run.
      built: project.preparedFor === runId ? project.build.why : undefined,
      buildMs: project.build.buildMs,
      fetchedFrom: project.preparedFor === runId ? project.fetchedFrom : undefined,
      postgres: project.postgres,
      volume: project.volume,
      advice: project.advice,
      forkMs: project.origin.pool.forkMs,
      leaseMs,
      warm,
      resets,
      pristine,
      kept,
    }))
    // What a watching runner does next is done with what is there now.
    for (const project of records.keys()) if (project.preparedFor === runId) project.preparedFor = undefined
    return reports
  }

  #get(runId: string, project: ReadyProject): Record {
    const run = this.#runs.get(runId) ?? new Map<ReadyProject, Record>()
    this.#runs.set(runId, run)
    const oldest = this.#runs.keys().next().value
    if (this.#runs.size > maxRuns && oldest !== undefined) this.#runs.delete(oldest)
    const record = run.get(project) ?? { leaseMs: [], warm: 0, resets: 0, pristine: 0, kept: [] }
    run.set(project, record)
    return record
  }
}
