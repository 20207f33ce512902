import { formatUrl, type DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import type { BranchAddress, UserConfig } from './types.ts'

/** Variables of a branch, with `{{url}}`, `{{port}}` and so on where these go. */
export type VariableTemplates = Record<string, string>

const parts = ['host', 'port', 'user', 'password', 'database'] as const

/**
 * Evaluates the user's mapping once, here in the builder, for all branches to come: it is called with
 * two made-up branches, and what differs between the answers must be exactly their parts.
 *
 * @returns texts with `{{url}}`, `{{host}}`, `{{port}}`, `{{user}}`, `{{password}}` and `{{database}}`.
 * @throws PgBranchError `PGB_CONFIG_INVALID` if the function throws, returns no strings, or makes
 * something of a branch that is more than its parts put into text.
 */
export function createVariableTemplates(env: UserConfig['env'], databases: string[]): VariableTemplates {
  if (env === undefined || Array.isArray(env)) return Object.fromEntries((env ?? []).map((name) => [name, '{{url}}']))
  const [first, second] = [createTrialBranch(41_113, databases), createTrialBranch(59_167, databases)]
  const templates: VariableTemplates = {}
  const [answer, other] = [callMapping(env, first), callMapping(env, second)]
  for (const [name, value] of Object.entries(answer)) {
    let template = value
    for (const [database, url] of Object.entries(first.urls).slice(1))
      template = template.replaceAll(url, urlMark(database))
    template = template.replaceAll(first.url, '{{url}}')
    for (const part of parts) template = template.replaceAll(String(first[part]), `{{${part}}}`)
    templates[name] = template
    if (fillTemplate(template, second) !== other[name]) {
      throw new PgBranchError(`\`env\` makes a variable ${name} that is not the branch's parts put into text`, {
        code: 'PGB_CONFIG_INVALID',
        hint: 'The function is called once for all branches: it may only combine url, host, port, user, password and database into strings.',
      })
    }
  }
  return templates
}

/** Parts that go into a URL are encoded as such. */
export function fillTemplate(template: string, address: DatabaseAddress): string {
  const isUrl = /^[\w+.-]+:\/\//.test(template)
  let text = template
    .replaceAll(/\{\{url:([^}]*)\}\}/g, (_, database: string) =>
      formatUrl({ ...address, database: decodeURIComponent(database) }),
    )
    .replaceAll('{{url}}', () => formatUrl(address))
  for (const part of parts) {
    const value = String(address[part])
    text = text.replaceAll(`{{${part}}}`, () => (isUrl && part !== 'host' ? encodeURIComponent(value) : value))
  }
  return text
}

/** @returns the variables of the databases beside the first. */
export function listDatabaseVariables({ databases = {} }: UserConfig): VariableTemplates {
  const entries = Object.entries(databases).flatMap(([name, { env = [] }], index) => {
    const usual = index === 0 ? [] : [`${name.toUpperCase().replaceAll(/\W/g, '_')}_DATABASE_URL`]
    return [...usual, ...env].map((variable) => [variable, urlMark(name)] as const)
  })
  return Object.fromEntries(entries)
}

const urlMark = (database: string) => `{{url:${encodeURIComponent(database)}}}`

function createTrialBranch(port: number, databases: string[]): BranchAddress {
  const id = createRandomHex(8)
  const address = {
    host: `host-${id}.invalid`,
    port,
    user: `user_${id}`,
    password: createRandomHex(16),
    database: `database_${id}`,
  }
  // The first may turn out to be another: a script may change it, and a server names it.
  const urls = databases.map((database, index) => [
    database,
    formatUrl(index === 0 ? address : { ...address, database }),
  ])
  return { ...address, url: formatUrl(address), urls: Object.fromEntries(urls) as Record<string, string> }
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
      hint: 'It is called with { url, host, port, user, password, database, urls }.',
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
