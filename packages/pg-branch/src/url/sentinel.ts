/** Resolves to no address, ever (RFC 6761, `.invalid`): the error names this host. */
const sentinelHost = 'no-pg-branch-behind-this-variable.invalid'

export const sentinelUrl: string = `postgresql://pg-branch:none@${sentinelHost}:1/no-branch`

const sentinelVariables: Record<string, string> = {
  DATABASE_URL: sentinelUrl,
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

/**
 * Takes every way to a real database out of `env`: the usual variables, and any other whose value is
 * a Postgres URL, point at a host that cannot exist until a branch is leased.
 */
export function applySentinel(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (postgresUrl.test(value) || /^jdbc:postgresql:/i.test(value))) env[name] = sentinelUrl
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
