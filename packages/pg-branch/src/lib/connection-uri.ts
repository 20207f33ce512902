/** Where a database is, and who may enter. */
export interface DatabaseAddress {
  host: string
  port: number
  user: string
  password: string
  database: string
  /** Query part of the URI, e.g. `sslmode=require`. Our own servers need none. */
  parameters?: string | undefined
}

/** Where our own servers listen. */
export const loopbackHost = '127.0.0.1'

/** @returns a connection URI as libpq and all drivers read it (postgresql.org, "Connection URIs"). */
export function formatUrl(address: DatabaseAddress): string {
  const { port, user, password, database, parameters } = address
  const [userPart, passwordPart, databasePart] = [user, password, database].map((part) => encodeURIComponent(part))
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  const query = parameters === undefined || parameters === '' ? '' : `?${parameters}`
  return `postgresql://${userPart}:${passwordPart}@${host}:${port}/${databasePart}${query}`
}

/** @returns the parts of a connection URI, or undefined if it is none or names no host. */
export function parseUrl(url: string): DatabaseAddress | undefined {
  try {
    const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url)
    if (!/^postgres(ql)?:$/.test(protocol) || hostname === '') return undefined
    const user = decodeURIComponent(username) || 'postgres'
    return {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 5432),
      user,
      password: decodeURIComponent(password),
      database: decodeURIComponent(pathname.slice(1)) || user,
      parameters: searchParams.toString(),
    }
  } catch {
    return undefined
  }
}
