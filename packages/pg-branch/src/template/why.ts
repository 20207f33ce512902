import type { StepPlan } from '../seed/contract.ts'
import type { TemplateKeys } from './keys.ts'
import type { Plan } from './plan.ts'

/** What is remembered of the plan that a project was last built with. */
export interface BuildRecord {
  sealedKey: string
  baseKey: string
  rootKey: string
  steps: StepPlan[]
  /** Absent in records of older builds. */
  keys?: TemplateKeys | undefined
  period?: number | undefined
}

export function createBuildRecord(keys: TemplateKeys, { steps, period }: Plan): BuildRecord {
  return { sealedKey: keys.sealed.at(-1) ?? '', baseKey: keys.base, rootKey: keys.layers[0] ?? '', steps, keys, period }
}

/** @returns one sentence: why the template of `current` has to be built although `last` was. */
export function explainRebuild(options: {
  current: BuildRecord
  last: BuildRecord | undefined
  broken?: string | undefined
}): string {
  const { current, last, broken } = options
  if (broken !== undefined) return broken
  if (last === undefined) return 'first build of this project'
  if (last.sealedKey === current.sealedKey) return 'the cached template was removed (evicted, or the cache was cleared)'
  if (last.baseKey !== current.baseKey)
    return 'another Postgres (provider, version or initdb options), or another version of pg-branch'
  if (last.period !== current.period) return 'a new period of `cache.rebuildEveryMs` has begun'
  if (last.rootKey !== current.rootKey)
    return 'server settings, `fastIngest`, the names of databases, or the user changed'
  return explainSteps(last.steps, current.steps)
}

function explainSteps(before: StepPlan[], after: StepPlan[]): string {
  const index = after.findIndex((step, position) => step.fingerprint !== before[position]?.fingerprint)
  if (index === -1) return 'the seed is shorter: its last steps were removed'
  const [old, current] = [before[index], after[index]]
  if (current === undefined) return 'the seed changed'
  const name = `step ${index + 1} (${current.label})`
  if (old === undefined) return `${name} is new`
  if (old.label !== current.label && old.kind !== current.kind) return `${name} took the place of ${old.label}`
  const added = Object.keys(current.inputs).filter((path) => old.inputs[path] === undefined)
  const removed = Object.keys(old.inputs).filter((path) => current.inputs[path] === undefined)
  const changed = Object.keys(current.inputs).filter(
    (path) => old.inputs[path] !== undefined && old.inputs[path] !== current.inputs[path],
  )
  const parts = [
    describeList('changed', changed),
    describeList('was added', added),
    describeList('was removed', removed),
  ]
  const text = parts.filter((part) => part !== '').join('; ')
  return text === '' ? `${name} changed` : `${name}: ${text}`
}

function describeList(verb: string, paths: string[]): string {
  if (paths.length === 0) return ''
  const shown = paths.slice(0, 3).join(', ')
  const agreed = paths.length === 1 ? verb : verb.replace(/^was /, 'were ')
  return `${shown}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''} ${agreed}`
}
