import { hashValue } from '../lib/hash.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { getInitdbArguments } from '../postgres/initdb.ts'
import { createBranchSettings } from '../postgres/settings.ts'
import { formatVersion } from './manifest.ts'
import { usesFastIngest, type Plan } from './plan.ts'

/** The keys of one plan: each is a hash over the one before and what comes next. */
export interface TemplateKeys {
  /** The cluster as initdb made it. */
  base: string
  /** `layers[i]` is the state after i steps; `layers[0]` has settings and database, and is not kept. */
  layers: string[]
  /** `sealed[i]` is the same, ready to be branched from. */
  sealed: string[]
}

export function createKeys(plan: Plan, binaries: PostgresBinaries): TemplateKeys {
  const base = hashValue([formatVersion, binaries.buildId, getInitdbArguments(binaries, plan.config.postgres.initdb)])
  const settings = createBranchSettings(binaries.version, plan.config.postgres)
  // A state is the same however its WAL was written; but whoever turns this off wants it made anew.
  const mode = usesFastIngest(plan.config) ? ['fast ingest'] : []
  const { databases, user } = plan.config
  return createChain(
    base,
    hashValue([base, Object.entries(settings), databases, user, ...mode, ...listPeriod(plan)]),
    plan,
  )
}

/** @param buildId of the server: branches have its settings, whatever they are. */
export function createServerKeys(plan: Plan, { buildId }: { buildId: string }): TemplateKeys {
  const base = hashValue([formatVersion, buildId])
  return createChain(base, hashValue([base, 'server', ...listPeriod(plan)]), plan)
}

function listPeriod({ period }: Plan): string[] {
  return period === undefined ? [] : [`period ${period}`]
}

function createChain(base: string, root: string, plan: Plan): TemplateKeys {
  const layers = [root]
  for (const step of plan.steps) layers.push(hashValue([layers.at(-1), step.fingerprint]))
  return { base, layers, sealed: layers.map((key) => hashValue([key, 'sealed'])) }
}
