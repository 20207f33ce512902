import { formatUrl } from '../../lib/connection-uri.ts'
import type { StepTarget } from './contract.ts'

/** Variables under which tools look for the database being built. */
export function createBuildVariables(target: StepTarget): Record<string, string> {
  const { port, user, password, database } = target
  return {
    DATABASE_URL: formatUrl({ host: '127.0.0.1', port, user, password, database }),
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  }
}
