import { isOwn, listGrants, name, routine } from './sql-names.ts'

/** The type and identity of the object that a row names by `classoid`, `objoid` and `objsubid`. */
const identified = `(SELECT i.type || ' ' || i.identity FROM pg_identify_object(x.classoid, x.objoid, x.objsubid) i)`
/** Not initdb's and not of an extension, but for the schema that everybody uses. */
const isOwnObject = `(x.objoid >= 16384 OR x.classoid = 'pg_namespace'::regclass AND x.objoid = to_regnamespace('public'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = x.classoid AND d.objid = x.objoid AND d.deptype = 'e')`

/** Comments and labels of all kinds of objects, and what of a database is in no catalogue of its own. */
export const remarkQueries: string[] = [
  `SELECT coalesce(
      (SELECT CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence ' WHEN 'f' THEN 'foreign table ' WHEN 'r' THEN 'table ' WHEN 'p' THEN 'table ' END || ${name('nspname', 'relname')}
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = x.objoid AND x.classoid = 'pg_class'::regclass),
      (SELECT ${routine}
        FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE p.oid = x.objoid AND x.classoid = 'pg_proc'::regclass),
      'comment on ' || ${identified}) AS object,
      'comment ' || coalesce('on ' || (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = x.objoid AND attnum = x.objsubid AND x.objsubid > 0 AND x.classoid = 'pg_class'::regclass) || ' ', '') || quote_literal(x.description) AS line
    FROM pg_description x WHERE ${isOwnObject} AND ${identified} IS NOT NULL ORDER BY 1, x.objsubid`,
  `SELECT 'security label on ' || ${identified}, x.provider || ' ' || quote_literal(x.label) FROM pg_seclabel x WHERE ${isOwnObject} AND ${identified} IS NOT NULL ORDER BY 1, 2`,
  `SELECT 'large object ' || oid, x.line FROM pg_largeobject_metadata,
      LATERAL (VALUES (0, 'owner ' || quote_ident(pg_get_userbyid(lomowner))), (1, (SELECT string_agg(i::text, ', ' ORDER BY i::text) FROM unnest(lomacl) i)),
        (2, 'content ' || (SELECT count(*) || ' pages, ' || md5(string_agg(pageno || ' ' || md5(data), ' ' ORDER BY pageno)) FROM pg_largeobject WHERE loid = oid))) AS x (position, line)
    WHERE x.line IS NOT NULL ORDER BY 1, position`,
  // ALTER … DEPENDS ON EXTENSION.
  `SELECT i.type || ' ' || i.identity, 'DEPENDS ON EXTENSION ' || quote_ident(extname)
    FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid AND refclassid = 'pg_extension'::regclass, LATERAL pg_identify_object(d.classid, d.objid, 0) i WHERE d.deptype = 'x' ORDER BY 1, 2`,
  `SELECT 'database', x.line FROM pg_database d,
      LATERAL (SELECT 'CONNECTION LIMIT ' || nullif(datconnlimit, -1) AS line
        UNION ALL SELECT 'owner ' || quote_ident(pg_get_userbyid(datdba))
        UNION ALL SELECT 'IS TEMPLATE' WHERE datistemplate
        UNION ALL SELECT line FROM ${listGrants({ acl: 'datacl', defaults: "acldefault('d', datdba)" })} g
        UNION ALL SELECT 'SET ' || unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0
        UNION ALL SELECT 'comment ' || quote_literal(description) FROM pg_shdescription WHERE classoid = 'pg_database'::regclass AND objoid = d.oid
        UNION ALL SELECT 'security label ' || provider || ' ' || quote_literal(label) FROM pg_shseclabel WHERE classoid = 'pg_database'::regclass AND objoid = d.oid) AS x
    WHERE datname = current_database() AND x.line IS NOT NULL ORDER BY 2`,
  `SELECT 'role ' || quote_ident(pg_get_userbyid(setrole)), 'IN THIS DATABASE SET ' || unnest(setconfig)
    FROM pg_db_role_setting WHERE setrole <> 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1, 2`,
]

/** The passwords of these are the branch's own. */
const isLeftAlone = `(r.oid = 10 OR r.rolname = session_user OR EXISTS (SELECT FROM pg_database WHERE datdba = r.oid))`

/** What the databases of a server share: roles, and their settings. */
export const serverQueries: string[] = [
  `SELECT 'role ' || quote_ident(rolname), x.line FROM pg_authid r,
      LATERAL (SELECT concat_ws(' ', 'role', CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN NOT rolinherit THEN 'NOINHERIT' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
          CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
          'CONNECTION LIMIT ' || nullif(rolconnlimit, -1)) AS line
        UNION ALL SELECT 'VALID UNTIL ' || rolvaliduntil WHERE NOT ${isLeftAlone}
        UNION ALL SELECT 'password with the fingerprint ' || left(md5(rolpassword), 12) WHERE NOT ${isLeftAlone}
        UNION ALL SELECT 'SET ' || unnest(setconfig) FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0
        UNION ALL SELECT 'comment ' || quote_literal(description) FROM pg_shdescription WHERE classoid = 'pg_authid'::regclass AND objoid = r.oid AND objoid >= 16384
        UNION ALL SELECT 'security label ' || provider || ' ' || quote_literal(label) FROM pg_shseclabel WHERE classoid = 'pg_authid'::regclass AND objoid = r.oid
        UNION ALL SELECT 'member of ' || quote_ident(pg_get_userbyid(m.roleid)) || CASE WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END
          -- These came with PostgreSQL 16.
          || CASE to_jsonb(m)->>'inherit_option' WHEN 'false' THEN ' WITH INHERIT FALSE' ELSE '' END || CASE to_jsonb(m)->>'set_option' WHEN 'false' THEN ' WITH SET FALSE' ELSE '' END
          FROM pg_auth_members m WHERE m.member = r.oid) AS x
    WHERE rolname !~ '^pg_' AND x.line IS NOT NULL ORDER BY 1, 2`,
  `SELECT 'settings of all roles', 'SET ' || unnest(setconfig) FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = 0 ORDER BY 2`,
  `SELECT 'database ' || quote_ident(datname), 'owner ' || quote_ident(pg_get_userbyid(datdba)) FROM pg_database
    WHERE NOT datistemplate AND datname <> current_database() ORDER BY 1`,
  `SELECT 'comment on tablespace ' || quote_ident(spcname), quote_literal(description) FROM pg_shdescription JOIN pg_tablespace t ON t.oid = objoid
    WHERE classoid = 'pg_tablespace'::regclass AND objoid >= 16384`,
]

/** Gives each sequence as it is written in SQL, with how it is called in a diff. */
export const sequencesQuery: string = `SELECT 'sequence ' || ${name('nspname', 'relname')} AS object, ${name('nspname', 'relname')} AS relation
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S' AND relpersistence <> 't' AND ${isOwn('c.oid')} ORDER BY 1`
