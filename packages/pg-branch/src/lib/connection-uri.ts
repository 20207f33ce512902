/** @returns a connection URI as libpq and all drivers read it (postgresql.org, "Connection URIs"). */
export function formatUrl(address: {
  host: string
  port: number | string
  user: string
  password: string
  database: string
}): string {
  const { host, port, user, password, database } = address
  const [userPart, passwordPart, databasePart] = [user, password, database].map((part) => encodeURIComponent(part))
  return `postgresql://${userPart}:${passwordPart}@${host}:${port}/${databasePart}`
}
