/** @returns who would have the extension that a `CREATE EXTENSION` did not find, or undefined for another error. */
export function findExtensionHint(message: string): string | undefined {
  const [, available] = /^extension "([^"]+)" is not available/.exec(message) ?? []
  const [, opened] = /^could not open extension control file ".*\/([^/"]+)\.control"/.exec(message) ?? []
  const name = available ?? opened
  if (name === undefined) return undefined
  return [
    `This Postgres does not have ${name}. These can:`,
    `\`postgres.provider: 'system'\` with a server that has it (Debian: apt install ${debianPackages[name] ?? `postgresql-17-${name}`});`,
    '`server`, a running server that has it, for instance in a container;',
    '`postgres.extensions.paths`, directories that hold it (PostgreSQL 18).',
  ].join('\n')
}

const debianPackages: Record<string, string> = {
  postgis: 'postgresql-17-postgis-3',
  vector: 'postgresql-17-pgvector',
}
