import { dirname, join, relative } from 'node:path'
import { findConfig } from '../config/find.ts'
import { layoutCandidates, recogniseLayout } from '../config/layouts.ts'
import { loadConfig, type LoadedConfig } from '../config/load.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { CommandStep, FunctionStep, ResolvedConfig, SeedStep, SqlStep, UserConfig } from '../config/types.ts'
import { explainNoFastIngest } from '../ingest/settings.ts'
import { PgBranchError } from '../lib/errors.ts'
import { hashFile, hashValue } from '../lib/hash.ts'
import { getSurroundingCode } from './function-fingerprint.ts'
import { expandGlobs, listGlobDirs, readSignatures } from './inputs.ts'
import type { Plan, StepPlan } from './plan.ts'
import { createVariableTemplates, listDatabaseVariables } from './variable-templates.ts'

export interface PlannedStep {
  plan: StepPlan
  step: SeedStep
  /** Expanded files of an SQL step. */
  files: string[]
}

/**
 * Finds, loads and resolves the configuration, expands every glob and hashes every input.
 *
 * @throws PgBranchError of the configuration, or `PGB_STEP_INPUT` for a glob that matches nothing.
 */
export async function createPlan(request: {
  rootDir: string
  configFile: string | undefined
}): Promise<{ plan: Plan; steps: PlannedStep[] }> {
  const found = await findConfig(request.rootDir, request.configFile)
  const loaded = found.file === undefined ? noConfig : await loadConfig(found.file)
  const config = resolveConfig(loaded.config, { baseDir: found.baseDir, configFile: found.file })
  const { seed, owners, notices, candidates } = resolveSeed(loaded.config, {
    baseDir: found.baseDir,
    hasFile: found.file !== undefined,
  })
  const watched = new Set([...found.candidates, ...candidates, ...loaded.imports])
  notices.push(...explainFallback(config), ...explainNoServer(loaded.config))
  const context: StepContext = { baseDir: found.baseDir, configFile: found.file, loaded, seed, watched }
  // Signatures are read before the contents: a file that changes in between looks changed next time.
  for (const step of seed) await watchInputs(step, context)
  const signatures = readSignatures(watched)
  const steps: PlannedStep[] = []
  for (const [index, step] of seed.entries()) {
    steps.push(await planStep(step, { index, context, database: owners[index] ?? '' }))
  }
  const plan: Plan = {
    config,
    steps: steps.map(({ plan }) => plan),
    signatures,
    envReads: loaded.envReads,
    variables: {
      ...listDatabaseVariables(loaded.config),
      ...createVariableTemplates(loaded.config.env, config.databases),
    },
    notices,
  }
  return { plan, steps }
}

const noConfig: LoadedConfig = { config: {}, code: '', imports: [], envReads: {} }

interface StepContext {
  baseDir: string
  configFile: string | undefined
  loaded: LoadedConfig
  seed: SeedStep[]
  watched: Set<string>
}

interface ResolvedSeed {
  seed: SeedStep[]
  /** The database of each step; empty where there is only one. */
  owners: string[]
  notices: string[]
  /** Paths whose appearance would change the answer. */
  candidates: string[]
}

function resolveSeed(config: UserConfig, { baseDir, hasFile }: { baseDir: string; hasFile: boolean }): ResolvedSeed {
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
  const where = hasFile ? 'the configuration names no `seed`' : `there is no pg-branch.config.ts`
  return {
    seed: [],
    owners: [],
    notices: [`branches are empty: ${where}, and no migrations were recognised in ${baseDir}`],
    candidates,
  }
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

async function watchInputs(step: SeedStep, { baseDir, watched }: StepContext): Promise<void> {
  const globs = typeof step === 'function' ? [] : step.kind === 'sql' ? step.globs : step.inputs
  for (const dir of await listGlobDirs(globs, baseDir)) watched.add(dir)
  for (const file of await expandGlobs(globs, baseDir)) {
    watched.add(file)
    watched.add(dirname(file))
  }
}

async function planStep(
  step: SeedStep,
  { index, context, database }: { index: number; context: StepContext; database: string },
): Promise<PlannedStep> {
  const { plan, files } = await planAnywhere(step, { index, context })
  const fingerprint = database === '' ? plan.fingerprint : hashValue([database, plan.fingerprint])
  return { step, files, plan: { ...plan, database, fingerprint } }
}

/** What a step does, whichever database it does it to. */
interface StepContent {
  files: string[]
  plan: Omit<StepPlan, 'database'>
}

async function planAnywhere(
  step: SeedStep,
  { index, context }: { index: number; context: StepContext },
): Promise<StepContent> {
  if (typeof step === 'function') return planFunction(step, { index, context })
  return step.kind === 'sql' ? planSql(step, context) : planCommand(step, context)
}

async function planSql(step: SqlStep, context: StepContext): Promise<StepContent> {
  const label = `sql ${step.globs.join(' ')}`
  const files = await expandGlobs(step.globs, context.baseDir)
  if (files.length === 0) {
    throw new PgBranchError(`the step \`${label}\` matches no file in ${context.baseDir}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Globs are relative to the directory of the configuration file.',
    })
  }
  const inputs = await hashFiles(files, context.baseDir)
  return { files, plan: { kind: 'sql', label, inputs, fingerprint: hashValue(['sql', Object.entries(inputs)]) } }
}

async function planCommand(step: CommandStep, context: StepContext): Promise<StepContent> {
  const files = await expandGlobs(step.inputs, context.baseDir)
  if (files.length === 0 && step.inputs.length > 0) {
    throw new PgBranchError(
      `the inputs ${step.inputs.join(', ')} of \`${step.line}\` match no file in ${context.baseDir}`,
      {
        code: 'PGB_STEP_INPUT',
        hint: 'Globs are relative to the directory of the configuration file. A command without `inputs` runs once and is then cached.',
      },
    )
  }
  const env = Object.fromEntries(Object.entries(step.env).map(([name, value]) => [`env.${name}`, hashValue(value)]))
  const inputs = { ...(await hashFiles(files, context.baseDir)), ...env }
  const fingerprint = hashValue(['command', step.line, Object.entries(inputs)])
  return { files: [], plan: { kind: 'command', label: `command ${step.line}`, inputs, fingerprint } }
}

async function planFunction(
  step: FunctionStep,
  { index, context }: { index: number; context: StepContext },
): Promise<StepContent> {
  const { loaded, seed, baseDir, configFile = '' } = context
  const functions = seed.filter((other) => typeof other === 'function')
  const inputs = {
    'its own text': hashValue(step.toString()),
    [`${relative(baseDir, configFile)} around the seed`]: hashValue(getSurroundingCode(loaded.code, functions)),
    ...(await hashFiles(loaded.imports, baseDir)),
    // What was read while the file loaded may be anywhere in its values.
    ...Object.fromEntries(Object.entries(loaded.envReads).map(([name, value]) => [`env.${name}`, hashValue(value)])),
  }
  const label = `function ${step.name === '' ? `seed[${index}]` : step.name}`
  return {
    files: [],
    plan: { kind: 'function', label, inputs, fingerprint: hashValue(['function', Object.entries(inputs)]) },
  }
}

async function hashFiles(files: string[], baseDir: string): Promise<Record<string, string>> {
  const hashes: Array<[string, string]> = []
  for (const file of files) hashes.push([relative(baseDir, file), await hashFile(file)])
  return Object.fromEntries(hashes)
}
