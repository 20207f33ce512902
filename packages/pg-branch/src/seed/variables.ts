import { fillTemplate } from '../config/variable-templates.ts'
import { formatUrl } from '../lib/connection-uri.ts'
import type { StepRun } from './contract.ts'

/**
 * Variables under which tools look for the database being built: the usual ones, and those that the configuration
 * gives to a branch, which else would still lead to a database of the user's.
 */
export function createBuildVariables({
  target,
  variables,
}: Pick<StepRun, 'target' | 'variables'>): Record<string, string> {
  const { host, port, user, password, database } = target
  const mapped = Object.entries(variables).map(([name, template]) => [name, fillTemplate(template, target)])
  return {
    DATABASE_URL: formatUrl(target),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    ...Object.fromEntries(mapped),
  }
}
