import { fillTemplate, type VariableTemplates } from '../config/variable-templates.ts'
import { formatUrl, type DatabaseAddress } from '../lib/connection-uri.ts'

/** @returns the variables under which a test process finds its branch: the usual ones, and the user's own over them. */
export function createBranchVariables(templates: VariableTemplates, branch: DatabaseAddress): Record<string, string> {
  const mapped = Object.entries(templates).map(([name, template]) => [name, fillTemplate(template, branch)])
  const sslMode = new URLSearchParams(branch.parameters).get('sslmode')
  return {
    DATABASE_URL: formatUrl(branch),
    PGHOST: branch.host,
    PGPORT: String(branch.port),
    PGUSER: branch.user,
    PGPASSWORD: branch.password,
    PGDATABASE: branch.database,
    ...(sslMode === null ? {} : { PGSSLMODE: sslMode }),
    ...Object.fromEntries(mapped),
  }
}
