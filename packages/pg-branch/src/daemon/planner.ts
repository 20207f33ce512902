import { join } from 'node:path'
import { findChangedPath } from '../lib/inputs.ts'
import { createLog } from '../lib/log.ts'
import { withoutOwnSecrets } from '../lib/own-secrets.ts'
import type { StatePaths } from '../lib/paths.ts'
import { startBuilder, type Builder } from '../template/builder.ts'
import { getPeriod, type Plan } from '../template/plan.ts'
import type { BuildRecord } from '../template/why.ts'
import { readProjectRecord } from './project-record.ts'

const log = createLog('project')

type Env = Record<string, string | undefined>

/** Makes the plan of a project for one client, with a builder process only where one is needed. */
export interface Planner extends AsyncDisposable {
  /** What this project was last built with. */
  readonly last: BuildRecord | undefined
  /** As far as it is known. */
  readonly plan: Plan | undefined
  /** @returns the recorded plan if everything it was made from is as it was, else a new one. */
  getPlan(): Promise<Plan>
  /** @returns the process that can run the plan's steps. */
  getBuilder(): Promise<Builder>
}

export async function openPlanner(options: {
  rootDir: string
  configFile: string | undefined
  paths: StatePaths
  /** Variables of the client, without any database of the user's. */
  env: Env
}): Promise<Planner> {
  const { rootDir, configFile, paths, env } = options
  const record = await readProjectRecord(paths, rootDir, configFile)
  let plan = record !== undefined && matchesPlan(record.plan, env) ? record.plan : undefined
  let builder: Builder | undefined
  const getBuilder = async () => {
    if (builder !== undefined) return builder
    builder = startBuilder({ env: withoutOwnSecrets(env), cwd: rootDir, logFile: join(paths.logDir, 'builder.log') })
    const { downloadsDir } = paths
    plan = await builder.call.createPlan({ rootDir, configFile, downloadsDir })
    return builder
  }
  return {
    last: record?.built,
    get plan() {
      return plan
    },
    async getPlan() {
      if (plan === undefined) await getBuilder()
      if (plan === undefined) throw new Error('no plan was made')
      return plan
    },
    getBuilder,
    async [Symbol.asyncDispose]() {
      await builder?.stop()
    },
  }
}

/** @returns whether everything that a plan was made from is as it was. */
export function matchesPlan(plan: Pick<Plan, 'config' | 'signatures' | 'envReads' | 'period'>, env: Env): boolean {
  if (plan.period !== getPeriod(plan.config)) return false
  const changed = findChangedPath(plan.signatures)
  if (changed !== undefined) {
    log('%s has changed', changed)
    return false
  }
  return Object.entries(plan.envReads).every(([name, value]) => (env[name] ?? null) === value)
}
