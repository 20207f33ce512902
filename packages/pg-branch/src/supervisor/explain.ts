import { findStoreName, openStore } from '../artefact/registry.ts'
import { describeError } from '../lib/errors.ts'
import { openServer, withSession } from '../postgres/server.ts'
import { createServerKeys, type TemplateKeys } from '../template/keys.ts'
import { findStart, type BuildStart } from '../template/layers.ts'
import type { StepPlan } from '../template/plan.ts'
import { findServerTemplate } from '../template/server-store.ts'
import { createBuildRecord, explainRebuild } from '../template/why.ts'
import { locateCluster } from './locate-cluster.ts'
import type { PlaceContext } from './place.ts'
import type { TemplateReport } from './protocol.ts'

type ExplainContext = Pick<PlaceContext, 'plan' | 'last' | 'paths' | 'volumes' | 'env'>

/** @returns what a build would do now, and why. Nothing is built, and nothing is run on a server but look-ups. */
export async function explainTemplate(context: ExplainContext, serverUrl: string | undefined): Promise<TemplateReport> {
  const { plan } = context
  if (serverUrl !== undefined) {
    const server = await openServer(serverUrl)
    try {
      return await withSession(server, (client) =>
        compare(context, createServerKeys(plan, server), (key) => findServerTemplate(client, key)),
      )
    } finally {
      await server.sessions.end()
    }
  }
  const { store, keys } = await locateCluster(context)
  const report = await compare(context, keys, (key) => store.find(key))
  return report.why === undefined ? report : { ...report, ...(await lookElsewhere(report, context)) }
}

/** @returns where the template can be fetched from. A store that cannot be asked is said, and no error. */
async function lookElsewhere(
  { key, notices }: TemplateReport,
  { plan, env }: ExplainContext,
): Promise<Pick<TemplateReport, 'fetchFrom' | 'notices'>> {
  const { cache, baseDir } = plan.config
  const name = findStoreName(cache.store, env)
  if (name === undefined) return { notices }
  const store = openStore(name, { baseDir, env })
  try {
    return { notices, fetchFrom: (await store.readRef(key)) === undefined ? undefined : store.label }
  } catch (error) {
    return { notices: [...notices, `${store.label} cannot be asked: ${describeError(error)}`] }
  }
}

async function compare(
  { plan, last }: ExplainContext,
  keys: TemplateKeys,
  find: (key: string) => Promise<unknown>,
): Promise<TemplateReport> {
  const current = createBuildRecord(keys, plan)
  const { steps, notices } = plan
  const key = current.sealedKey
  if ((await find(key)) !== undefined) {
    return { key, why: undefined, steps: describeSteps(steps, { steps: steps.length, additions: 0 }), notices }
  }
  const start = await findStart({ steps, keys, last, find })
  return { key, why: explainRebuild({ current, last }), steps: describeSteps(steps, start), notices }
}

/** @returns what of each step is run when a build goes on from `start`. */
export function describeSteps(
  steps: StepPlan[],
  start: Pick<BuildStart<unknown>, 'steps' | 'additions'>,
): TemplateReport['steps'] {
  return steps.map(({ label, additions }, index) => {
    if (index < start.steps) return { label, runs: 'cached' }
    if (index > start.steps || start.additions === 0) return { label, runs: 'whole' }
    return { label, runs: 'rest', from: additions[start.additions] }
  })
}
