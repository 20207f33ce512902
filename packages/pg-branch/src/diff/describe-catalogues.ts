import type { Client } from 'pg'

/**
 * Catalogues that other queries describe as people write it. Whatever is not named here or below is described by
 * `describeCatalogues`: so is what a version of Postgres brings that nobody here knows yet.
 */
const described = new Set([
  'pg_aggregate',
  'pg_attrdef',
  'pg_attribute',
  'pg_auth_members',
  'pg_authid',
  'pg_class',
  'pg_constraint',
  'pg_database',
  'pg_db_role_setting',
  'pg_default_acl',
  'pg_description',
  'pg_enum',
  'pg_extension',
  'pg_index',
  'pg_inherits',
  'pg_largeobject_metadata',
  'pg_namespace',
  'pg_partitioned_table',
  'pg_policy',
  'pg_proc',
  'pg_range',
  'pg_rewrite',
  'pg_seclabel',
  'pg_sequence',
  'pg_statistic_ext',
  'pg_shdescription',
  'pg_shseclabel',
  'pg_trigger',
  'pg_type',
])

/** Catalogues of which pg_dump writes nothing, with what they hold. */
const needless: Record<string, string> = {
  pg_depend: 'follows from the definitions',
  pg_init_privs: 'what extensions and initdb have granted',
  pg_largeobject: 'is read as contents of large objects',
  pg_replication_origin: 'the progress of a subscription',
  pg_shdepend: 'follows from the definitions',
  pg_statistic: 'what ANALYZE has counted',
  pg_statistic_ext_data: 'what ANALYZE has counted',
  pg_subscription_rel: 'the progress of a subscription',
}

/** Rows of these come along with another object: the casts of a range type. */
const cameAlong = new Set(['pg_cast'])

/** Holds secrets: that they differ is shown, and nothing of them. */
const secretColumns = new Set(['pg_subscription.subconninfo', 'pg_user_mapping.umoptions'])

interface Column {
  name: string
  type: string
  /** Catalogue whose objects it names; null if it names none. */
  target: string | null
}

interface Catalogue {
  name: string
  columns: Column[]
}

/** @returns rows of an object and a line for each column of every catalogue that has no description of its own. */
export async function describeCatalogues(client: Client): Promise<Array<[object: string, line: string]>> {
  const lines: Array<[string, string]> = []
  for (const catalogue of await listCatalogues(client)) {
    const isDone = described.has(catalogue.name) || needless[catalogue.name] !== undefined
    for (const text of [isDone ? undefined : createQuery(catalogue), createGrantsQuery(catalogue)]) {
      if (text === undefined) continue
      const { rows } = await client.query<[string, string]>({ text, rowMode: 'array' })
      lines.push(...rows)
    }
  }
  return lines
}

/** Those that this role may read, with what their columns refer to as the server itself says it. */
async function listCatalogues(client: Client): Promise<Catalogue[]> {
  const { rows } = await client.query<Catalogue>(`
    SELECT c.relname AS name, json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL), 'target', f.target) ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN (SELECT DISTINCT ON (fktable, fkcols) fktable, fkcols, pktable::text AS target FROM pg_get_catalog_foreign_keys() WHERE pkcols = '{oid}') f
      ON f.fktable = c.oid AND f.fkcols = ARRAY[a.attname::text]
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT')
    GROUP BY c.relname ORDER BY c.relname`)
  return rows
}

/** The server's own bookkeeping. */
const skippedTypes = /^(pg_lsn|xid|anyarray)$/

/** @returns undefined for a catalogue that nothing can be said of. */
function createQuery({ name, columns }: Catalogue): string | undefined {
  const key = columns.some((column) => column.name === 'oid') ? { catalogue: name, column: 'x.oid' } : findKey(columns)
  if (key === undefined) return undefined
  const object = `(SELECT i.type || ' ' || i.identity FROM pg_identify_object('${key.catalogue}'::regclass, ${key.column}, 0) i)`
  const shown = columns.filter(
    (column) => !isIdentity(column) && !skippedTypes.test(column.type) && `x.${column.name}` !== key.column,
  )
  const relation = columns.find(({ target }) => target === 'pg_class')?.name
  const values = shown.map(
    (column, index) => `(${index}, '${column.name} ' || ${describeValue({ catalogue: name, column, relation })})`,
  )
  // What has nothing but a name is there or not.
  values.push(`(-1, CASE WHEN ${shown.length} = 0 THEN 'exists' END)`)
  const namespace = columns.find(({ target }) => target === 'pg_namespace')
  const isTemporary =
    namespace === undefined
      ? 'false'
      : `EXISTS (SELECT FROM pg_namespace n WHERE n.oid = x.${namespace.name} AND n.nspname ~ '^pg_(temp|toast)')`
  return `SELECT ${object} AS object, v.line FROM pg_catalog.${name} x, LATERAL (VALUES ${values.join(', ')}) AS v (position, line)
    WHERE v.line IS NOT NULL AND ${key.column} >= 16384 AND NOT ${isTemporary} AND ${object} IS NOT NULL AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = '${key.catalogue}'::regclass AND d.objid = ${key.column} AND d.deptype IN (${cameAlong.has(name) ? "'e', 'i'" : "'e'"}))
    ORDER BY object, (to_jsonb(x) - 'oid')::text, position`
}

/** @returns SQL of what was granted on objects that came with Postgres or with an extension. */
function createGrantsQuery({ name, columns }: Catalogue): string | undefined {
  const acl = columns.find(({ type }) => type === 'aclitem[]')?.name
  if (acl === undefined || !columns.some((column) => column.name === 'oid')) return undefined
  const sort = (list: string) => `(SELECT string_agg(i::text, ', ' ORDER BY i::text) FROM unnest(${list}) i)`
  const object = `(SELECT i.type || ' ' || i.identity FROM pg_identify_object('${name}'::regclass, x.oid, 0) i)`
  return `SELECT ${object}, 'granted ' || ${sort(`x.${acl}`)} FROM pg_catalog.${name} x
    LEFT JOIN pg_init_privs p ON p.classoid = '${name}'::regclass AND p.objoid = x.oid AND p.objsubid = 0
    WHERE x.${acl} IS NOT NULL AND '${name}:' || x.oid <> 'pg_namespace:' || coalesce(to_regnamespace('public')::oid, 0) AND ${sort(`x.${acl}`)} IS DISTINCT FROM ${sort('p.initprivs')}
      AND (x.oid < 16384 OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${name}'::regclass AND d.objid = x.oid AND d.deptype = 'e')) ORDER BY 1`
}

/** A row without a number of its own belongs to the first object that it names. */
function findKey(columns: Column[]): { catalogue: string; column: string } | undefined {
  const column = columns.find(({ target, type }) => target !== null && !isList(type))
  if (column === undefined || column.target === null) return undefined
  return { catalogue: column.target, column: `x.${column.name}` }
}

/** Whether it is in the object's name already. */
function isIdentity({ name, type, target }: Column): boolean {
  return name === 'oid' || target === 'pg_namespace' || (type === 'name' && /^[a-z]{2,4}name$/.test(name))
}

function isList(type: string): boolean {
  return type.endsWith('[]') || type.endsWith('vector')
}

/**
 * @param options.relation column that names the table of which an expression speaks.
 * @returns SQL of a column's value as text without any number that another database would not share.
 */
function describeValue(options: { catalogue: string; column: Column; relation: string | undefined }): string {
  const { catalogue, column, relation } = options
  const { name, type, target } = column
  const value = `x.${name}`
  if (secretColumns.has(`${catalogue}.${name}`)) return `'with the fingerprint ' || left(md5(${value}::text), 12)`
  if (type === 'aclitem[]') return `(SELECT string_agg(i::text, ', ' ORDER BY i::text) FROM unnest(${value}) i)`
  if (type === 'pg_node_tree') return relation === undefined ? 'NULL' : `pg_get_expr(${value}, x.${relation})`
  if (target === null) return `${value}::text`
  const describe = (oid: string) => `pg_describe_object('${target}'::regclass, ${oid}, 0)`
  if (!isList(type)) return describe(`nullif(${value}::oid, 0)`)
  return `(SELECT string_agg(${describe('e')}, ', ' ORDER BY n) FROM unnest(${value}::oid[]) WITH ORDINALITY AS u (e, n) WHERE e <> 0)`
}
