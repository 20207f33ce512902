import { dirname } from 'node:path'
import { findConfig } from '../config/find.ts'
import { loadConfig, type LoadedConfig } from '../config/load.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { RunnableStep } from '../config/types.ts'
import { createVariableTemplates, listDatabaseVariables } from '../config/variable-templates.ts'
import { expandGlobs, listGlobDirs, readSignatures } from '../lib/inputs.ts'
import type { PlannedStep, PlanningContext } from '../seed/contract.ts'
import { openStep, planStep } from '../seed/registry.ts'
import { resolveSeed } from '../seed/resolve-seed.ts'
import { explainOptions } from './explain-options.ts'
import { getPeriod, type Plan, type PlanRequest } from './plan.ts'

/**
 * Finds, loads and resolves the configuration, expands every glob and hashes every input.
 *
 * @throws PgBranchError of the configuration, or `PGB_STEP_INPUT` for a glob that matches nothing.
 */
export async function createPlan(request: PlanRequest): Promise<{ plan: Plan; steps: PlannedStep[] }> {
  const found = await findConfig(request.rootDir, request.configFile)
  const loaded = found.file === undefined ? noConfig : await loadConfig(found.file)
  const config = resolveConfig(loaded.config, { baseDir: found.baseDir, configFile: found.file })
  const { seed, stepDatabases, notices, candidates } = resolveSeed(loaded.config, {
    baseDir: found.baseDir,
    hasFile: found.file !== undefined,
  })
  const watched = new Set([...found.candidates, ...candidates, ...loaded.imports])
  notices.push(...explainOptions(loaded.config, config))
  const { downloadsDir } = request
  const context: PlanningContext = {
    baseDir: found.baseDir,
    configFile: found.file,
    downloadsDir,
    loaded,
    seed,
    notices,
  }
  // Signatures are read before the contents: a file that changes in between looks changed next time.
  for (const step of seed) await watchInputs(step, { baseDir: found.baseDir, watched })
  const signatures = readSignatures(watched)
  const steps: PlannedStep[] = []
  for (const [index, step] of seed.entries()) {
    steps.push(await planStep(step, { index, context, database: stepDatabases[index] ?? '' }))
  }
  const plan: Plan = {
    config,
    steps: steps.map(({ plan }) => plan),
    signatures,
    envReads: Object.assign({ ...loaded.envReads }, ...seed.map((step) => openStep(step).readVariables())),
    variables: {
      ...listDatabaseVariables(loaded.config),
      ...createVariableTemplates(loaded.config.env, config.databases),
    },
    notices,
    period: getPeriod(config),
  }
  return { plan, steps }
}

const noConfig: LoadedConfig = { config: {}, code: '', imports: [], envReads: {} }

/** Notes every path whose change could change what a step does. */
async function watchInputs(
  step: RunnableStep,
  { baseDir, watched }: { baseDir: string; watched: Set<string> },
): Promise<void> {
  const globs = openStep(step).listGlobs(baseDir)
  for (const dir of await listGlobDirs(globs, baseDir)) watched.add(dir)
  for (const file of await expandGlobs(globs, baseDir)) {
    watched.add(file)
    watched.add(dirname(file))
  }
}
