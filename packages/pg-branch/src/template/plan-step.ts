import { existsSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import type { CommandStep, DumpStep, FunctionStep, RunnableStep, SqlStep } from '../config/types.ts'
import { PgBranchError } from '../lib/errors.ts'
import { hashFile, hashValue } from '../lib/hash.ts'
import { download, hideSecrets, isUrl } from './download.ts'
import { getSurroundingCode } from './function-fingerprint.ts'
import { expandGlobs } from './inputs.ts'
import type { StepPlan } from './plan.ts'

export interface PlannedStep {
  plan: StepPlan
  step: RunnableStep
  /** Expanded files of an SQL step; the dump of a dump step. */
  files: string[]
}

export interface StepContext {
  baseDir: string
  configFile: string | undefined
  downloadsDir: string
  loaded: LoadedConfig
  /** All steps: what they share is part of each function's key. */
  seed: RunnableStep[]
  /** To which a step may add what the user should hear. */
  notices: string[]
}

/** @returns a step with the files it runs and the hash of all that determines it. */
export async function planStep(
  step: RunnableStep,
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
  step: RunnableStep,
  { index, context }: { index: number; context: StepContext },
): Promise<StepContent> {
  if (typeof step === 'function') return planFunction(step, { index, context })
  if (step.kind === 'sql') return planSql(step, context)
  return step.kind === 'dump' ? planDump(step, context) : planCommand(step, context)
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
  const fingerprint = hashValue(['sql', Object.entries(inputs)])
  return { files, plan: { kind: 'sql', label, inputs, additions: Object.keys(inputs), journal: [], fingerprint } }
}

async function planDump({ source, owners }: DumpStep, context: StepContext): Promise<StepContent> {
  const { baseDir, downloadsDir } = context
  const isRemote = isUrl(source)
  const label = `dump ${isRemote ? hideSecrets(source) : source}`
  const fetched = isRemote ? await download(source, downloadsDir) : undefined
  if (fetched?.notice !== undefined) context.notices.push(fetched.notice)
  const file = fetched?.file ?? resolve(baseDir, source)
  if (!existsSync(file)) {
    throw new PgBranchError(`the step \`${label}\` names a file that is not there: ${file}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Paths are relative to the directory of the configuration file.',
    })
  }
  const files = statSync(file).isDirectory() ? await expandGlobs(['**'], file) : [file]
  const hashes = await hashFiles(files, baseDir)
  // Where a download is kept says nothing of it.
  const inputs = isRemote ? { [label]: Object.values(hashes).join() } : hashes
  const fingerprint = hashValue(['dump', owners, Object.entries(inputs)])
  return { files: [file], plan: { kind: 'dump', label, inputs, additions: [], journal: [], fingerprint } }
}

async function planCommand(step: CommandStep, context: StepContext): Promise<StepContent> {
  const { baseDir } = context
  const globs = [...step.inputs, ...step.migrations, ...step.journal]
  const migrations = await expandGlobs(step.migrations, baseDir)
  const journal = await expandGlobs(step.journal, baseDir)
  const files = new Set([...(await expandGlobs(step.inputs, baseDir)), ...migrations, ...journal])
  if (files.size === 0 && globs.length > 0) {
    throw new PgBranchError(`the inputs ${globs.join(', ')} of \`${step.line}\` match no file in ${baseDir}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Globs are relative to the directory of the configuration file. A command without `inputs` runs once and is then cached.',
    })
  }
  const env = Object.fromEntries(Object.entries(step.env).map(([name, value]) => [`env.${name}`, hashValue(value)]))
  const inputs = { ...(await hashFiles([...files], baseDir)), ...env }
  return {
    files: [],
    plan: {
      kind: 'command',
      label: `command ${step.line}`,
      inputs,
      additions: migrations.map((file) => relative(baseDir, file)),
      journal: journal.map((file) => relative(baseDir, file)),
      fingerprint: hashValue(['command', step.line, Object.entries(inputs)]),
    },
  }
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
    plan: {
      kind: 'function',
      label,
      inputs,
      additions: [],
      journal: [],
      fingerprint: hashValue(['function', Object.entries(inputs)]),
    },
  }
}

async function hashFiles(files: string[], baseDir: string): Promise<Record<string, string>> {
  const hashes: Array<[string, string]> = []
  for (const file of files) hashes.push([relative(baseDir, file), await hashFile(file)])
  return Object.fromEntries(hashes)
}
