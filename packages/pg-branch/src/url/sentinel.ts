import { createSentinelUrl, sentinelHost } from '../lib/sentinel-url.ts'

const sentinelVariables: Record<string, string> = {
  DATABASE_URL: createSentinelUrl('DATABASE_URL'),
  PGHOST: sentinelHost,
  PGPORT: '1',
  PGUSER: 'pg-branch',
  PGPASSWORD: 'none',
  PGDATABASE: 'no-branch',
}

/** Variables of libpq that would lead a connection past ours, or make it fail (TLS). */
const removedVariables = [
  'PGHOSTADDR',
  'PGPASSFILE',
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGOPTIONS',
  'PGSSLMODE',
  'PGREQUIRESSL',
  'PGSSLNEGOTIATION',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLROOTCERT',
  'PGSSLCRL',
  'PGSSLCRLDIR',
  'PGREQUIREAUTH',
  'PGCHANNELBINDING',
  'PGGSSENCMODE',
  'PGTARGETSESSIONATTRS',
  'PGLOADBALANCEHOSTS',
  'PGREALM',
] as const

const postgresUrl = /^(postgres|postgresql|pgsql|postgis|prisma\+postgres|cockroachdb):/i

function isPostgresUrl(value: string): boolean {
  return postgresUrl.test(value) || /^jdbc:postgresql:/i.test(value)
}

/** Of this process, whichever copy of this module asks: test runners may load several. */
const withheldKey = Symbol.for('pg-branch.withheld-urls')

/**
 * Remembers the Postgres URLs of the user's variables, as they were when first seen, for the supervisor
 * alone: a configuration may name one of them as the server to use.
 */
export function withholdUrls(env: NodeJS.ProcessEnv): Record<string, string> {
  const holder = globalThis as unknown as Record<symbol, Record<string, string> | undefined>
  const withheld = (holder[withheldKey] ??= {})
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && postgresUrl.test(value) && !value.includes(sentinelHost)) withheld[name] ??= value
  }
  return withheld
}

/**
 * Takes every way to a real database out of `env`: the usual variables, and any other whose value is
 * a Postgres URL, point at a host that cannot exist until a branch is leased.
 */
export function applySentinel(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && isPostgresUrl(value)) env[name] = createSentinelUrl(name)
  }
  for (const name of removedVariables) delete env[name]
  Object.assign(env, sentinelVariables)
}

/** @returns a copy of `env` without any way to a real database. */
export function withSentinel(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const copy = { ...env }
  applySentinel(copy)
  return copy
}
