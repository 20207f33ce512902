import { formatUrl } from '../../lib/connection-uri.ts'
import type { StepTarget } from './contract.ts'

/** Variables under which tools look for the database being built. */
export function createBuildVariables(target: StepTarget): Record<string, string> {
  const { host, port, user, password, database } = target
  return {
    DATABASE_URL: formatUrl(target),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  }
}
