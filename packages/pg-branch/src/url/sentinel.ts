import { createSentinelPairs, createSentinelUrl, sentinelHost } from '../lib/sentinel-url.ts'
import { listEnvFileVariables } from './env-files.ts'
import { embeddedUrl, findAddressForm } from './find-address.ts'

const sentinelVariables: Record<string, string> = {
  DATABASE_URL: createSentinelUrl('DATABASE_URL'),
  PGHOST: sentinelHost,
  PGPORT: '1',
  PGUSER: 'pg-branch',
  PGPASSWORD: 'none',
  PGDATABASE: 'no-branch',
}

/**
 * Variables of libpq that would lead a connection past ours, or make it fail (TLS). The others say how a session
 * is, and are left alone (source: postgresql.org, "Environment Variables").
 */
const removedVariables = [
  'PGHOSTADDR',
  'PGPASSFILE',
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGSYSCONFDIR',
  'PGOPTIONS',
  'PGSSLMODE',
  'PGREQUIRESSL',
  'PGSSLNEGOTIATION',
  'PGSSLCOMPRESSION',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLCERTMODE',
  'PGSSLROOTCERT',
  'PGSSLCRL',
  'PGSSLCRLDIR',
  'PGSSLSNI',
  'PGSSLMINPROTOCOLVERSION',
  'PGSSLMAXPROTOCOLVERSION',
  'PGREQUIREAUTH',
  'PGREQUIREPEER',
  'PGCHANNELBINDING',
  'PGGSSENCMODE',
  'PGGSSDELEGATION',
  'PGKRBSRVNAME',
  'PGTARGETSESSIONATTRS',
  'PGLOADBALANCEHOSTS',
  'PGMINPROTOCOLVERSION',
  'PGMAXPROTOCOLVERSION',
  'PGREALM',
] as const

/** What is withheld is remembered once in a process, although test runners may load several copies of this module. */
const withheldKey = Symbol.for('pg-branch.withheld-urls')

/**
 * Remembers the Postgres URLs of the user's variables, as they were when first seen, for the supervisor
 * alone: a configuration may name one of them as the server to use.
 */
export function withholdUrls(env: NodeJS.ProcessEnv): Record<string, string> {
  const holder = globalThis as unknown as Record<symbol, Record<string, string> | undefined>
  const withheld = (holder[withheldKey] ??= {})
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.includes(sentinelHost)) continue
    const form = findAddressForm(value)
    if (form?.kind === 'url' && /^postgres(ql)?:\/\/$/i.test(form.scheme)) withheld[name] ??= value.trim()
  }
  return withheld
}

/**
 * Takes every way to a real database out of `env`: the usual variables, and any other whose value is
 * an address of a Postgres. Until a branch is there they point at a host that does not resolve. So do those that
 * a `.env` file of the working directory would set later: what reads one leaves alone what is set.
 */
export function applySentinel(env: NodeJS.ProcessEnv, { dir = process.cwd() }: { dir?: string } = {}): void {
  for (const [name, value] of Object.entries({ ...listEnvFileVariables(dir), ...env })) {
    const sentinel = value === undefined ? undefined : createSentinel(name, value)
    if (sentinel !== undefined) env[name] = sentinel
  }
  for (const name of removedVariables) delete env[name]
  Object.assign(env, sentinelVariables)
}

/** @returns what to put in the place of an address; undefined for anything else, and for what is none any more. */
function createSentinel(name: string, value: string): string | undefined {
  if (value.includes(sentinelHost)) return undefined
  const form = findAddressForm(value)
  if (form === undefined) return undefined
  if (form.kind === 'embedded') return value.replaceAll(embeddedUrl, createSentinelUrl(name))
  return form.kind === 'url' ? createSentinelUrl(name, form.scheme) : createSentinelPairs(name, form.separator)
}

/**
 * Sets the variables of a branch, and hides what has come since the sentinel was put there: by a setup file, or by
 * variables of the runner's own.
 *
 * @returns the names of what was hidden now.
 */
export function applyBranch(env: NodeJS.ProcessEnv, variables: Readonly<Record<string, string>>): string[] {
  const found = listForeignVariables(env, variables)
  for (const name of found) {
    const sentinel = createSentinel(name, env[name] ?? '')
    if (sentinel === undefined) delete env[name]
    else env[name] = sentinel
  }
  Object.assign(env, variables)
  return found
}

/** @returns the names of variables that lead to another Postgres than the branch, or past it. */
export function listForeignVariables(env: NodeJS.ProcessEnv, variables: Readonly<Record<string, string>>): string[] {
  const own = new Set(Object.values(variables))
  const addresses = Object.entries(env).filter(
    ([name, value = '']) =>
      !own.has(value) &&
      (variables[name] === undefined || variables[name] !== value) &&
      createSentinel(name, value) !== undefined,
  )
  const removed = removedVariables.filter((name) => env[name] !== undefined && variables[name] === undefined)
  return [...addresses.map(([name]) => name), ...removed]
}

/** @returns a copy of `env` without any way to a real database. */
export function withSentinel(env: NodeJS.ProcessEnv, options?: { dir?: string }): NodeJS.ProcessEnv {
  const copy = { ...env }
  applySentinel(copy, options)
  return copy
}
