import { join } from 'node:path'
import { layoutCandidates, layoutNames, recogniseLayout } from '../config/layouts.ts'
import type { ResolvedConfig, SeedStep, UserConfig } from '../config/types.ts'
import { explainNoFastIngest } from '../ingest/settings.ts'

export interface ResolvedSeed {
  seed: SeedStep[]
  /** The database of each step; empty where there is only one. */
  owners: string[]
  notices: string[]
  /** Paths whose appearance would change the answer. */
  candidates: string[]
}

/** @returns the steps of a configuration, or those recognised from the project's files. */
export function resolveSeed(
  config: UserConfig,
  { baseDir, hasFile }: { baseDir: string; hasFile: boolean },
): ResolvedSeed {
  const { databases } = config
  if (databases !== undefined) {
    const owned = Object.entries(databases).flatMap(([name, { seed = [] }]) =>
      [seed].flat().map((step) => ({ step, name })),
    )
    return { seed: owned.map(({ step }) => step), owners: owned.map(({ name }) => name), notices: [], candidates: [] }
  }
  if (config.seed !== undefined) return { seed: [config.seed].flat(), owners: [], notices: [], candidates: [] }
  const candidates = layoutCandidates.map((path) => join(baseDir, path))
  const layout = recogniseLayout(baseDir)
  if (layout !== undefined) {
    const notices = [`recognised ${layout.name} in ${baseDir}: ${layout.evidence}`]
    return { seed: layout.seed, owners: [], notices, candidates }
  }
  const where = hasFile ? 'the configuration names no `seed`' : `there is no pg-branch.config.ts (or .js, .mjs, .json)`
  return {
    seed: [],
    owners: [],
    notices: [
      `branches are empty: ${where}, and ${baseDir} has no migrations that are recognised (${layoutNames.join(', ')}, *.sql in migrations, db/migrations, …)`,
    ],
    candidates,
  }
}

/** @returns what the user should hear about options that have no effect. */
export function explainOptions(config: UserConfig, resolved: ResolvedConfig): string[] {
  return [...explainFallback(resolved), ...explainNoServer(config)]
}

function explainFallback({ fastIngest, postgres }: ResolvedConfig): string[] {
  const reason = fastIngest ? explainNoFastIngest(postgres.settings) : undefined
  return reason === undefined ? [] : [`templates are built without fast ingest, because of ${reason}`]
}

/** A variable that is misspelt, or empty in CI, would else go unnoticed. */
function explainNoServer(config: UserConfig): string[] {
  const isUnset = 'server' in config && (config.server === undefined || config.server === '')
  return isUnset ? ['`server` is not set: branches are servers of our own'] : []
}
