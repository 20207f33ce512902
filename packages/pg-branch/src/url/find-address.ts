/** How a text says where a Postgres is. */
export type AddressForm =
  | { kind: 'url'; scheme: string }
  | { kind: 'pairs'; separator: ';' | ' ' }
  /** URLs in a longer text, e.g. JSON. */
  | { kind: 'embedded' }

/** Names that drivers and tools give to Postgres, and to what speaks its protocol, in URLs. */
const products =
  'postgres|postgresql|postgis|pgsql|psql|pgx|pgx4|pgx5|ecto|cockroach|cockroachdb|crdb|timescaledb|timescale|yugabytedb|redshift'
/** Those that mean something else without the two slashes. */
const productsOfUrls =
  'pg|asyncpg|psycopg[23]?|pg8000|postgresql_psycopg2|postgresqlext|timescalegis|prisma|neon|alloydb|greenplum|materialize|edb'
const looseUrlPattern = new RegExp(String.raw`^((?:[a-z][\w-]*:)*(?:${productsOfUrls})(?:\+[a-z]\w*)*:)\/\/`, 'i')
/** A URL of a Postgres somewhere in a text. */
export const embeddedUrl: RegExp = /(?:postgres|postgresql)(?:\+[a-z]\w*)?:\/\/[^\s"'`<>{}|\\]+/gi
/** e.g. `jdbc:tc:postgresql`, `r2dbc:pool:postgresql`, `postgresql+asyncpg`, `prisma+postgres`, `postgis:16-3.4`. */
const urlPattern = new RegExp(
  String.raw`^((?:[a-z][\w-]*:)*(?:[a-z]\w*\+)*(?:${products})(?:\+[a-z]\w*)*(?::[\w.-]+)?:)(\/\/\/?)?`,
  'i',
)
/** Keywords of libpq and of what takes after it; in .NET `Host=…;Username=…`. */
const hostPattern = /(?:^|[\s;])(?:host|hostaddr)\s*=/i
/** .NET calls the host of any database so; only those of others come without a port, or with theirs. */
const serverPattern = /(?:^|[\s;])server\s*=/i
const portPattern = /(?:^|[\s;])port\s*=\s*(?!3306\b)\d/i
const driverPattern = /(?:^|[\s;])driver\s*=\s*\{?postgres/i
const otherPattern = /(?:^|[\s;])(?:dbname|database|user|username|user\s*id|password|port)\s*=/i
const servicePattern = /^service\s*=\s*\S+/i

/** @returns how `value` is an address of a Postgres, as a URL or in key words; undefined if it is none. */
export function findAddressForm(value: string): AddressForm | undefined {
  const text = value
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .trim()
  const url = urlPattern.exec(text)
  if (url !== null) {
    // Perl's and PHP's are pairs behind a colon.
    if (url[2] === undefined && /^[^/]*=/.test(text.slice(url[0].length))) return { kind: 'pairs', separator: ';' }
    return { kind: 'url', scheme: `${url[1] ?? ''}//` }
  }
  if (/^dbi:pg:/i.test(text)) return { kind: 'pairs', separator: ';' }
  const loose = looseUrlPattern.exec(text)
  if (loose !== null) return { kind: 'url', scheme: `${loose[1] ?? ''}//` }
  // Without any scheme only the port says what it is.
  if (/^(\/\/)?([^\s:@/]+(:[^\s@/]*)?@)?[\w.-]+:5432\/\S+$/.test(text)) {
    return { kind: 'url', scheme: text.startsWith('//') ? '//' : '' }
  }
  if (text.search(embeddedUrl) !== -1) return { kind: 'embedded' }
  const isNet = serverPattern.test(text) && portPattern.test(text)
  if (
    ((hostPattern.test(text) || isNet) && otherPattern.test(text)) ||
    servicePattern.test(text) ||
    driverPattern.test(text)
  ) {
    return { kind: 'pairs', separator: text.includes(';') ? ';' : ' ' }
  }
  return undefined
}
