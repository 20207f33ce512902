import { describeError } from '../lib/errors.ts'

/**
 * @returns what to do about an error of Postgres's whose own hint does not know of us; undefined where nothing is
 * known to be right.
 */
export function findStepHint(error: unknown): string | undefined {
  const message = describeError(error)
  const { code } = error as { code?: string }
  const setting = settings.find(({ pattern }) => pattern.test(message))
  if (setting !== undefined)
    return `In pg-branch.config.ts: \`postgres.settings: ${setting.wanted}\`. It is then built without fast ingest.`
  const isForSuperuser =
    /^permission denied(: ".*" is a system trigger| to create (extension|database|role))/.test(message) ||
    /^must be (superuser|owner of (extension|schema public|event trigger))/.test(message)
  if (code === '42501' && isForSuperuser) {
    return 'Only a superuser may: `user: { name: …, superuser: true }`, or leave `user` out, which is a superuser too.'
  }
  if (supabaseParts.test(message)) {
    return "Supabase's own servers bring this along. Make it before the migrations, `seed: [sql('supabase/local.sql'), preset('supabase')]`, or take a server that has it: `server: container('supabase/postgres')` of @pg-branch/testcontainers."
  }
  const [, role] = code === '42704' ? (/^role "(.+)" does not exist$/.exec(message) ?? []) : []
  if (role !== undefined) {
    return `Make the role before this step, for example with a function: ({ client }) => client.query('CREATE ROLE ${JSON.stringify(role)}'). A dump is restored without owners and privileges by dump(…).`
  }
  return findExtensionHint(message)
}

const supabaseParts =
  /^(role "(anon|authenticated|authenticator|service_role|supabase_\w+|dashboard_user|pgsodium_\w+)"|schema "(auth|storage|extensions|realtime|vault|graphql|graphql_public|supabase_functions|cron|net)"|relation "(auth|storage)\.\w+"|function (auth|storage)\.\w+\(.*\)) does not exist/

/** What branches do without unless told otherwise, since few seeds want it. */
const settings = [
  { pattern: /^prepared transactions are disabled/, wanted: '{ max_prepared_transactions: 10 }' },
  { pattern: /(slots can only be used if|decoding requires).*wal_level/, wanted: "{ wal_level: 'logical' }" },
]

function findExtensionHint(message: string): string | undefined {
  const [, available] = /^extension "([^"]+)" is not available/.exec(message) ?? []
  const [, opened] = /^could not open extension control file ".*\/([^/"]+)\.control"/.exec(message) ?? []
  const name = available ?? opened
  if (name === undefined) return undefined
  return [
    `This Postgres does not have ${name}. These can:`,
    `\`postgres.provider: 'system'\` with a server that has it (Debian: apt install ${debianPackages[name] ?? `postgresql-<version>-${name}`});`,
    '`server`, a running server that has it, for instance in a container;',
    '`postgres.extensions.paths`, directories that hold it (PostgreSQL 18).',
  ].join('\n')
}

const debianPackages: Record<string, string> = {
  postgis: 'postgresql-<version>-postgis-3',
  vector: 'postgresql-<version>-pgvector',
}
