import { findStoreName, openStore } from '../../artefact/registry.ts'
import type { ExplainContext } from '../contract.ts'
import { explainBuild } from '../explain.ts'
import { describeError } from '../../lib/errors.ts'
import type { TemplateReport } from '../../protocol/protocol.ts'
import { locateCluster } from './locate.ts'

/** @returns what a build on the plan's volume would do, or where the template would come from. */
export async function explainCluster(context: ExplainContext): Promise<TemplateReport> {
  const { store, keys } = await locateCluster(context)
  const report = await explainBuild(context, keys, (key) => store.find(key))
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
