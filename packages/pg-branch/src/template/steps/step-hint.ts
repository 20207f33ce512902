/** @returns what to do about an error of Postgres's whose own hint does not know of us, or undefined. */
export function findStepHint(message: string): string | undefined {
  const setting = settings.find(({ pattern }) => pattern.test(message))
  if (setting !== undefined)
    return `In pg-branch.config.ts: \`postgres.settings: ${setting.wanted}\`. It is then built without fast ingest.`
  if (/^permission denied(: ".*" is a system trigger| to create (extension|database|role))/.test(message)) {
    return 'Only a superuser may: `user: { name: …, superuser: true }`, or leave `user` out, which is a superuser too.'
  }
  return findExtensionHint(message)
}

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
