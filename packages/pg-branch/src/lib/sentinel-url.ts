/** Resolves to no address, ever (RFC 6761, `.invalid`): the error names this host. */
export const sentinelHost = 'no-pg-branch-behind-this-variable.invalid'

/**
 * @returns what stands in the place of a variable's real URL. It carries the variable's name, so that a
 * configuration may pass it on (`server: process.env.ADMIN_URL`) without ever seeing the real one.
 */
export function createSentinelUrl(variable: string): string {
  // What fails to connect names only the host: that names the variable.
  const label = variable
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
  return `postgresql://pg-branch:none@${label}.${sentinelHost}:1/no-branch?application_name=${encodeURIComponent(variable)}`
}

/** @returns the name of the variable for which `url` stands, or undefined if it is not a sentinel. */
export function readSentinelVariable(url: string): string | undefined {
  if (!url.includes(sentinelHost)) return undefined
  return new URL(url).searchParams.get('application_name') ?? undefined
}
