/** Resolves to no address, ever (RFC 6761, `.invalid`): the error names this host. */
export const sentinelHost = 'no-pg-branch-behind-this-variable.invalid'

/**
 * @param scheme the beginning of the real URL, up to its `//`: what reads it may want exactly this one.
 * @returns what stands in the place of a variable's real URL. It carries the variable's name, so that a
 * configuration may pass it on (`server: process.env.ADMIN_URL`) without ever seeing the real one.
 */
export function createSentinelUrl(variable: string, scheme = 'postgresql://'): string {
  // What reads the URLs of Java takes no user in front of a host.
  const user = /^(jdbc|r2dbc):/i.test(scheme) ? '' : 'pg-branch:none@'
  return `${scheme}${user}${createHost(variable)}:1/no-branch?application_name=${encodeURIComponent(variable)}`
}

/** @param separator between the pairs of the real text, `;` or a blank. */
export function createSentinelPairs(variable: string, separator: ';' | ' '): string {
  const names =
    separator === ';'
      ? ['Host', 'Port', 'Database', 'Username', 'Password']
      : ['host', 'port', 'dbname', 'user', 'password']
  const values = [createHost(variable), '1', 'no-branch', 'pg-branch', 'none']
  return names.map((name, index) => `${name}=${values[index]}`).join(separator)
}

/** What fails to connect names only the host: that names the variable. */
function createHost(variable: string): string {
  const label = variable
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
  return `${label}.${sentinelHost}`
}

/** @returns the name of the variable for which `url` stands, or undefined if it is not a sentinel. */
export function readSentinelVariable(url: string): string | undefined {
  if (!url.includes(sentinelHost) || !URL.canParse(url)) return undefined
  return new URL(url).searchParams.get('application_name') ?? undefined
}
