import type { BranchAddress, UserConfig } from '../config/types.ts'
import { formatUrl } from '../lib/connection-uri.ts'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { superuser } from '../lib/superuser.ts'
import type { VariableTemplates } from './plan.ts'

/**
 * Evaluates the user's mapping once, here in the builder, for all branches to come. Branches differ
 * only in port and password, so the mapping is called with two made-up branches, and what differs
 * between the answers must be exactly these.
 *
 * @returns texts with `{{port}}`, `{{password}}` and `{{database}}`.
 * @throws PgBranchError `PGB_CONFIG_INVALID` if the function throws, returns no strings, or makes
 * something of a branch that is more than its parts put into text.
 */
export function createVariableTemplates(env: UserConfig['env'], database: string): VariableTemplates {
  if (env === undefined || Array.isArray(env)) {
    const url = formatUrl({
      host: '127.0.0.1',
      port: '{{port}}',
      user: superuser,
      password: 'PASSWORD',
      database: 'DATABASE',
    })
      .replace('PASSWORD', '{{password}}')
      .replace('DATABASE', '{{database}}')
    return Object.fromEntries((env ?? []).map((name) => [name, url]))
  }
  const [first, second] = [createTrialBranch('41113', database), createTrialBranch('59167', database)]
  const templates: VariableTemplates = {}
  const [answer, other] = [callMapping(env, first), callMapping(env, second)]
  for (const [name, value] of Object.entries(answer)) {
    templates[name] = value.replaceAll(first.password, '{{password}}').replaceAll(String(first.port), '{{port}}')
    if (fillTemplate(templates[name], second) !== other[name]) {
      throw new PgBranchError(`\`env\` makes a variable ${name} that is not the branch's parts put into text`, {
        code: 'PGB_CONFIG_INVALID',
        hint: 'The function is called once for all branches: it may only combine url, host, port, user, password and database into strings.',
      })
    }
  }
  return templates
}

export function fillTemplate(
  template: string,
  { port, password, database }: { port: number | string; password: string; database: string },
): string {
  return template
    .replaceAll('{{port}}', String(port))
    .replaceAll('{{password}}', password)
    .replaceAll('{{database}}', encodeURIComponent(database))
}

function createTrialBranch(port: string, database: string): BranchAddress {
  const parts = { host: '127.0.0.1', port: Number(port), user: superuser, password: createRandomHex(16), database }
  return { ...parts, url: formatUrl(parts) }
}

function callMapping(
  env: (branch: BranchAddress) => Record<string, string>,
  branch: BranchAddress,
): Record<string, string> {
  let answer: unknown
  try {
    answer = env(branch)
  } catch (error) {
    throw new PgBranchError(`\`env\` threw: ${describeError(error)}`, {
      code: 'PGB_CONFIG_INVALID',
      hint: 'It is called with { url, host, port, user, password, database }.',
      cause: error,
    })
  }
  const entries = Object.entries(typeof answer === 'object' && answer !== null ? answer : {})
  const wrong = entries.find(([, value]) => typeof value !== 'string')
  if (entries.length > 0 && wrong === undefined) return answer as Record<string, string>
  throw new PgBranchError(
    `\`env\` must return variables with strings, found ${wrong === undefined ? JSON.stringify(answer) : `${wrong[0]}: ${typeof wrong[1]}`}`,
    {
      code: 'PGB_CONFIG_INVALID',
      hint: 'For example: env: ({ url }) => ({ DATABASE_URL: url, DB_URL: `${url}?schema=app` }).',
    },
  )
}
