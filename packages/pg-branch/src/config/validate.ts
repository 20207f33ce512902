import leven from 'leven'
import * as v from 'valibot'
import { PgBranchError, type PgBranchErrorCode } from '../lib/errors.ts'
import { configSchema } from './schema.ts'
import type { UserConfig } from './types.ts'

/** @throws PgBranchError `PGB_CONFIG_INVALID` that lists every problem with its path. */
export function validateConfig(value: unknown, source: string): UserConfig {
  return validateBy(configSchema, value, { source, code: 'PGB_CONFIG_INVALID' })
}

/** @throws PgBranchError of this code, that lists every problem with its path. */
export function validateBy<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  { source, code }: { source: string; code: PgBranchErrorCode },
): T {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const problems = result.issues.flatMap((issue) => describeIssue(issue, [], schema))
  throw new PgBranchError(`${source} is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`, {
    code,
    hint: 'Correct these in the place named. The documentation lists every option.',
  })
}

/** @returns `path`: what was found, what is allowed, and for an unknown key the most similar known one. */
function describeIssue(issue: v.BaseIssue<unknown>, parentPath: v.IssuePathItem[], schema: unknown): string[] {
  const path = [...parentPath, ...((issue.path as v.IssuePathItem[] | undefined) ?? [])]
  // A union reports its alternatives inside; the one that got furthest says best what is wrong.
  const deeper = issue.type === 'union' ? listDeeper(issue) : []
  if (deeper.length > 0) return deeper.flatMap((inner) => describeIssue(inner, path, schema))
  const where = formatPath(path)
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return [`${where} is not an option${suggestKey(path, schema)}`]
  }
  if (issue.type === 'picklist') return [`${where} ${describeChoice(issue)}`]
  if (issue.kind === 'validation' || issue.type === 'union')
    // For what is too short, valibot tells its length and not what was found.
    return [
      `${where} ${issue.message}${/^(non_empty|min_length)$/.test(issue.type) ? '' : `, found ${issue.received}`}`,
    ]
  return [`${where} must be ${issue.expected ?? 'something else'}, found ${issue.received}`]
}

/** @returns the issues that a union's alternatives have inside the value; of a list only those of its items. */
function listDeeper(union: v.BaseIssue<unknown>): Array<v.BaseIssue<unknown>> {
  return (union.issues ?? []).flatMap((inner) => {
    const first = inner.path?.[0]
    if (first === undefined) return inner.type === 'union' ? listDeeper(inner) : []
    return Array.isArray(union.input) && typeof first.key !== 'number' ? [] : [inner]
  })
}

function formatPath(path: v.IssuePathItem[]): string {
  const text = path
    .map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
  return text === '' ? 'the whole value' : `\`${text}\``
}

/** One of some words: of many only the one that is meant. */
function describeChoice({ input, received, expected }: v.BaseIssue<unknown>): string {
  const known = [...(expected ?? '').matchAll(/"([^"]*)"/g)].map(([, word = '']) => word)
  const nearest = typeof input === 'string' ? findNearest(input, known) : undefined
  const suggestion = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  return `must be ${expected ?? 'something else'}, found ${received}${suggestion}`
}

function suggestKey(path: v.IssuePathItem[], schema: unknown): string {
  const last = path.at(-1)
  const known = last === undefined ? [] : findKnownKeys(path, schema as Inspectable)
  if (last === undefined || known.length === 0) return ''
  const nearest = findNearest(String(last.key), known)
  return nearest === undefined ? `; allowed: ${known.join(', ')}` : `; did you mean \`${nearest}\`?`
}

function findNearest(word: string, known: string[]): string | undefined {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: leven(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  return nearest !== undefined && nearest.distance <= Math.max(2, word.length / 3) ? nearest.candidate : undefined
}

/** What schemas of valibot have inside. */
interface Inspectable {
  /** Of an object. */
  entries?: Record<string, Inspectable>
  /** Of an optional value. */
  wrapped?: Inspectable
  /** Of a union. */
  options?: Inspectable[]
  /** Of a list. */
  item?: Inspectable
  literal?: unknown
}

/** Walks a schema along `path` to the object that holds the unknown key, which is the last of it. */
function findKnownKeys(path: v.IssuePathItem[], root: Inspectable): string[] {
  let schemas = listAlternatives(root)
  for (const { key } of path.slice(0, -1)) {
    const inside = schemas.flatMap(({ entries, item }) => entries?.[String(key)] ?? item ?? [])
    schemas = inside.flatMap((schema) => listAlternatives(schema))
  }
  const { kind } = (path.at(-1)?.input ?? {}) as { kind?: unknown }
  const fitting = schemas.filter(({ entries }) => entries?.kind === undefined || entries.kind.literal === kind)
  return [...new Set(fitting.flatMap(({ entries }) => Object.keys(entries ?? {})))]
}

function listAlternatives(schema: Inspectable): Inspectable[] {
  const { wrapped, options } = schema
  if (wrapped !== undefined) return listAlternatives(wrapped)
  // Those of a picklist are words.
  const schemas = options?.filter((option) => typeof option === 'object')
  return schemas === undefined || schemas.length === 0 ? [schema] : schemas.flatMap(listAlternatives)
}
