import { join } from 'node:path'
import { candidates, expandPreset, presetTitles, recogniseProject } from '../config/presets/recognise.ts'
import type { RunnableStep, SeedStep, UserConfig } from '../config/types.ts'

export interface ResolvedSeed {
  seed: RunnableStep[]
  /** The database of each step; empty where there is only one. */
  stepDatabases: string[]
  notices: string[]
  /** Paths whose appearance would change the answer. */
  candidates: string[]
}

/**
 * @returns the steps of a configuration, or those recognised from the project's files.
 * @throws PgBranchError `PGB_CONFIG_AMBIGUOUS`, `PGB_STEP_INPUT` or `PGB_PRESET_TOOL`, see `presets`.
 */
export function resolveSeed(
  config: UserConfig,
  { baseDir, hasFile }: { baseDir: string; hasFile: boolean },
): ResolvedSeed {
  const { databases } = config
  const watched = candidates.map((path) => join(baseDir, path))
  if (databases !== undefined || config.seed !== undefined) {
    const lists = databases === undefined ? [['', config.seed] as const] : listSeeds(databases)
    const owned = lists.flatMap(([name, steps]) => expandSteps(steps, baseDir).map((step) => ({ step, name })))
    const hasPreset = lists.some(([, steps = []]) => [steps].flat().some((step) => isPreset(step)))
    return {
      seed: owned.map(({ step }) => step),
      stepDatabases: owned.map(({ name }) => name),
      notices: [],
      candidates: hasPreset ? watched : [],
    }
  }
  const recognised = recogniseProject(baseDir)
  if (recognised !== undefined) {
    const { title, evidence, seed } = recognised
    return { seed, stepDatabases: [], notices: [`recognised ${title} in ${baseDir}: ${evidence}`], candidates: watched }
  }
  const where = hasFile ? 'the configuration names no `seed`' : 'there is no pg-branch.config.ts (or .js, .mjs, .json)'
  const notice = `branches are empty: ${where}, and ${baseDir} has no migrations that are recognised (${presetTitles.join(', ')}, *.sql in migrations, db/migrations, …)`
  return { seed: [], stepDatabases: [], notices: [notice], candidates: watched }
}

function listSeeds(databases: NonNullable<UserConfig['databases']>): Array<readonly [string, UserConfig['seed']]> {
  return Object.entries(databases).map(([name, { seed }]) => [name, seed] as const)
}

function expandSteps(seed: UserConfig['seed'], baseDir: string): RunnableStep[] {
  return [seed ?? []].flat().flatMap((step) => (isPreset(step) ? expandPreset(step, baseDir) : [step]))
}

function isPreset(step: SeedStep): step is Extract<SeedStep, { kind: 'preset' }> {
  return typeof step !== 'function' && step.kind === 'preset'
}
