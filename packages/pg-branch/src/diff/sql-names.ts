/** Names of objects as SQL, for all that describes a database; each of columns that no other catalogue in the query has. */

/** Objects of extensions belong to these, and what Postgres itself has is the same everywhere. */
export const isOwn = (oid: string, namespace = 'n.nspname'): string =>
  `${namespace} <> 'information_schema' AND ${namespace} !~ '^pg_' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = ${oid} AND d.deptype = 'e')`

export const name = (namespace: string, object: string): string =>
  `quote_ident(${namespace}) || '.' || quote_ident(${object})`

export const relation: string = `CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence ' WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || ${name('nspname', 'relname')}`
export const routine: string = `CASE prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
      || ${name('nspname', 'proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')'`
export const type: string = `CASE typtype WHEN 'd' THEN 'domain ' ELSE 'type ' END || ${name('nspname', 'typname')}`

/**
 * @param options.acl the list of grants, NULL if nobody has changed it.
 * @param options.defaults what holds if nobody has.
 * @returns SQL of a table that gives a `line` for each right that is not, or that is missing, by default: what pg_dump writes.
 */
export function listGrants({ acl, defaults }: { acl: string; defaults: string }): string {
  const rights = (list: string) => `SELECT privilege_type, grantee, is_grantable FROM aclexplode(${list})`
  const list = (verb: string, preposition: string, these: string, others: string) => `
      SELECT '${verb} ' || privilege_type || ' ${preposition} ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
        || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS line FROM (${rights(these)} EXCEPT ${rights(others)}) AS g`
  return `(${list('GRANT', 'TO', acl, defaults)} UNION ALL ${list('REVOKE', 'FROM', defaults, `coalesce(${acl}, ${defaults})`)})`
}
