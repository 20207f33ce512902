-- Changes of every kind that pg_dump or pg_dumpall sees, one after the other. A title says from which version on.

-- operator
CREATE OPERATOR ==== (function = eq, leftarg = comp, rightarg = comp);

-- operator: RESTRICT, HASHES and the like
ALTER OPERATOR ===(comp, comp) SET (RESTRICT = eqsel);

-- operator: commutator
CREATE OPERATOR =-= (function = eq, leftarg = comp, rightarg = comp, commutator = =-=);

-- operator family
CREATE OPERATOR FAMILY fam2 USING hash;

-- operator family: loose operator/function
ALTER OPERATOR FAMILY fam USING btree ADD FUNCTION 1 (comp, int) btint4cmp(int, int);

-- operator added to a family of Postgres
ALTER OPERATOR FAMILY pg_catalog.integer_ops USING btree ADD FUNCTION 1 (comp, comp) cmp(comp, comp);

-- operator class
CREATE OPERATOR CLASS cls2 FOR TYPE comp USING btree AS OPERATOR 3 ===, FUNCTION 1 cmp(comp, comp);

-- cast
CREATE CAST (comp AS int) WITH INOUT;

-- cast: context
DROP CAST (comp AS int);
CREATE CAST (comp AS int) WITH INOUT AS IMPLICIT;

-- collation
CREATE COLLATION co2 (provider = icu, locale = 'de');

-- collation: deterministic
DROP COLLATION co2;
CREATE COLLATION co2 (provider = icu, locale = 'de', deterministic = false);

-- collation: ICU rules (from 16)
CREATE COLLATION co3 (provider = icu, locale = 'und', rules = '&V << w');

-- conversion
CREATE CONVERSION conv2 FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;

-- conversion: default
DROP CONVERSION conv2;
CREATE DEFAULT CONVERSION conv2 FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;

-- text search parser
CREATE TEXT SEARCH PARSER tsp (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);

-- text search template
CREATE TEXT SEARCH TEMPLATE tst (LEXIZE = dsimple_lexize);

-- text search dictionary
CREATE TEXT SEARCH DICTIONARY tsd2 (TEMPLATE = simple);

-- text search dictionary: options
ALTER TEXT SEARCH DICTIONARY tsd (accept = false);

-- text search configuration
CREATE TEXT SEARCH CONFIGURATION tsc2 (PARSER = default);

-- text search configuration: mapping
ALTER TEXT SEARCH CONFIGURATION tsc ALTER MAPPING FOR word WITH tsd;

-- foreign data wrapper
CREATE FOREIGN DATA WRAPPER w2;

-- fdw: options
ALTER FOREIGN DATA WRAPPER w2 OPTIONS (a '1');

-- server
CREATE SERVER srv2 FOREIGN DATA WRAPPER w2;

-- server: options, version
ALTER SERVER srv OPTIONS (host 'h');

-- user mapping
CREATE USER MAPPING FOR PUBLIC SERVER srv;

-- user mapping: password
ALTER USER MAPPING FOR r1 SERVER srv OPTIONS (SET password 'p2');

-- foreign table
CREATE FOREIGN TABLE ft2 (x int) SERVER srv;

-- foreign table: options
ALTER FOREIGN TABLE ft OPTIONS (table_name 'q');

-- foreign table: column options
ALTER FOREIGN TABLE ft ALTER x OPTIONS (column_name 'q');

-- foreign table: trigger
CREATE TRIGGER ftr BEFORE INSERT ON ft FOR EACH ROW EXECUTE FUNCTION tf();

-- foreign table: constraint
ALTER FOREIGN TABLE ft ADD CONSTRAINT ftc CHECK (x > 0);

-- foreign table: partition of
CREATE FOREIGN TABLE fpart (k int, d text) SERVER srv;

-- foreign table: attach partition
DROP TRIGGER ptr ON parted;
ALTER TABLE parted ATTACH PARTITION fpart FOR VALUES IN (77);

-- access method
CREATE ACCESS METHOD h2 TYPE TABLE HANDLER heap_tableam_handler;

-- table: access method
ALTER TABLE lone SET ACCESS METHOD h2;

-- partitioned table: access method (from 17)
ALTER TABLE parted SET ACCESS METHOD h2;

-- matview: access method
ALTER MATERIALIZED VIEW mv SET ACCESS METHOD h2;

-- language
CREATE LANGUAGE lan2 HANDLER plpgsql_call_handler;

-- transform
CREATE FUNCTION tfm(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS $$prsd_lextype$$;

-- transform (made)
CREATE TRANSFORM FOR comp LANGUAGE sql (FROM SQL WITH FUNCTION tfm(internal));

-- large object
SELECT lo_create(900003);

-- large object: contents
SELECT lo_put(900002, 1, 'X');

-- large object: owner
ALTER LARGE OBJECT 900001 OWNER TO r1;

-- large object: ACL
GRANT SELECT ON LARGE OBJECT 900001 TO r2;

-- large object: comment
COMMENT ON LARGE OBJECT 900001 IS 'x';

-- sequence: position
SELECT nextval('sq');

-- sequence: is_called
SELECT setval('sq', 1, false);

-- sequence: options
ALTER SEQUENCE sq INCREMENT 5;

-- sequence: OWNED BY
ALTER SEQUENCE owned1 OWNED BY lone.x;

-- sequence: UNLOGGED
ALTER SEQUENCE sq SET UNLOGGED;

-- sequence: owner
ALTER SEQUENCE sq OWNER TO r1;

-- matview: populated
REFRESH MATERIALIZED VIEW mv WITH NO DATA;

-- matview: index, CLUSTER ON
ALTER MATERIALIZED VIEW mv CLUSTER ON mvi;

-- matview: column storage
ALTER MATERIALIZED VIEW mv ALTER a SET STORAGE external;

-- security label: table
set allow_system_table_mods = on;
INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 0, 'dummy', 'l');

-- security label: column
set allow_system_table_mods = on;
INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 1, 'dummy', 'l');

-- security label: function
set allow_system_table_mods = on;
INSERT INTO pg_seclabel VALUES ('fn(int)'::regprocedure, 'pg_proc'::regclass, 0, 'dummy', 'l');

-- comment: table
COMMENT ON TABLE t IS 'note';

-- comment: column
COMMENT ON COLUMN t.a IS 'note';

-- comment: view
COMMENT ON VIEW vw IS 'note';

-- comment: matview
COMMENT ON MATERIALIZED VIEW mv IS 'note';

-- comment: foreign table
COMMENT ON FOREIGN TABLE ft IS 'note';

-- comment: sequence
COMMENT ON SEQUENCE sq IS 'note';

-- comment: index
COMMENT ON INDEX t_b IS 'note';

-- comment: composite type
COMMENT ON TYPE comp IS 'note';

-- comment: composite column
COMMENT ON COLUMN comp.a IS 'note';

-- comment: enum
COMMENT ON TYPE en IS 'note';

-- comment: domain
COMMENT ON DOMAIN dom IS 'note';

-- comment: domain constraint
COMMENT ON CONSTRAINT domc ON DOMAIN dom IS 'note';

-- comment: constraint
COMMENT ON CONSTRAINT t_pkey ON t IS 'note';

-- comment: trigger
COMMENT ON TRIGGER tr ON t IS 'note';

-- comment: rule
COMMENT ON RULE ru ON lone IS 'note';

-- comment: policy
COMMENT ON POLICY po ON t IS 'note';

-- comment: statistics
COMMENT ON STATISTICS st IS 'note';

-- comment: schema
COMMENT ON SCHEMA s IS 'note';

-- comment: schema public
COMMENT ON SCHEMA public IS 'note';

-- comment: function
COMMENT ON FUNCTION fn(int) IS 'note';

-- comment: aggregate
COMMENT ON AGGREGATE ag(int) IS 'note';

-- comment: procedure
COMMENT ON PROCEDURE pr() IS 'note';

-- comment: operator
COMMENT ON OPERATOR === (comp, comp) IS 'note';

-- comment: operator class
COMMENT ON OPERATOR CLASS cls USING btree IS 'note';

-- comment: operator family
COMMENT ON OPERATOR FAMILY fam USING btree IS 'note';

-- comment: cast
COMMENT ON CAST (int AS comp) IS 'note';

-- comment: collation
COMMENT ON COLLATION co IS 'note';

-- comment: conversion
COMMENT ON CONVERSION conv IS 'note';

-- comment: language
COMMENT ON LANGUAGE lan IS 'note';

-- comment: extension
COMMENT ON EXTENSION hstore IS 'note';

-- comment: event trigger
COMMENT ON EVENT TRIGGER et IS 'note';

-- comment: publication
COMMENT ON PUBLICATION pub IS 'note';

-- comment: subscription
COMMENT ON SUBSCRIPTION sub IS 'note';

-- comment: server
COMMENT ON SERVER srv IS 'note';

-- comment: fdw
COMMENT ON FOREIGN DATA WRAPPER w2 IS 'note';

-- comment: ts configuration
COMMENT ON TEXT SEARCH CONFIGURATION tsc IS 'note';

-- comment: ts dictionary
COMMENT ON TEXT SEARCH DICTIONARY tsd IS 'note';

-- comment: ts parser
COMMENT ON TEXT SEARCH PARSER tsp IS 'note';

-- comment: ts template
COMMENT ON TEXT SEARCH TEMPLATE tst IS 'note';

-- comment: access method
COMMENT ON ACCESS METHOD h2 IS 'note';

-- comment: transform
COMMENT ON TRANSFORM FOR comp LANGUAGE sql IS 'note';

-- owner: table
ALTER TABLE t OWNER TO r1;

-- owner: index via table
ALTER TABLE f OWNER TO r1;

-- owner: view
ALTER VIEW vw OWNER TO r1;

-- owner: matview
ALTER MATERIALIZED VIEW mv OWNER TO r1;

-- owner: foreign table
ALTER FOREIGN TABLE ft OWNER TO r1;

-- owner: type
ALTER TYPE comp OWNER TO r1;

-- owner: enum
ALTER TYPE en OWNER TO r1;

-- owner: domain
ALTER DOMAIN dom OWNER TO r1;

-- owner: schema
ALTER SCHEMA s OWNER TO r1;

-- owner: schema public
ALTER SCHEMA public OWNER TO r1;

-- owner: function
ALTER FUNCTION fn(int) OWNER TO r1;

-- owner: procedure
ALTER PROCEDURE pr() OWNER TO r1;

-- owner: aggregate
ALTER AGGREGATE ag(int) OWNER TO r1;

-- owner: operator
ALTER OPERATOR === (comp, comp) OWNER TO r1;

-- owner: operator class
ALTER OPERATOR CLASS cls USING btree OWNER TO r1;

-- owner: operator family
ALTER OPERATOR FAMILY fam USING btree OWNER TO r1;

-- owner: collation
ALTER COLLATION co OWNER TO r1;

-- owner: conversion
ALTER CONVERSION conv OWNER TO r1;

-- owner: language
ALTER LANGUAGE lan OWNER TO r1;

-- owner: statistics
ALTER STATISTICS st OWNER TO r1;

-- owner: publication
SET ROLE postgres;
ALTER PUBLICATION pub OWNER TO r1;

-- owner: ts configuration
ALTER TEXT SEARCH CONFIGURATION tsc OWNER TO r1;

-- owner: ts dictionary
ALTER TEXT SEARCH DICTIONARY tsd OWNER TO r1;

-- owner: server
ALTER ROLE r1 SUPERUSER;
ALTER SERVER srv OWNER TO r1;

-- owner: fdw
ALTER FOREIGN DATA WRAPPER w2 OWNER TO r1;

-- owner: event trigger
ALTER EVENT TRIGGER et OWNER TO r1;

-- owner: subscription
ALTER SUBSCRIPTION sub OWNER TO r1;

-- ACL grant: table
GRANT SELECT ON t TO r2;

-- ACL grant: column
GRANT UPDATE (a) ON t TO r2;

-- ACL grant: view
GRANT SELECT ON vw TO r2;

-- ACL grant: sequence
GRANT USAGE ON SEQUENCE sq TO r2;

-- ACL grant: schema
GRANT USAGE ON SCHEMA s TO r2;

-- ACL grant: function
GRANT EXECUTE ON FUNCTION fn(int) TO r2;

-- ACL grant: type
GRANT USAGE ON TYPE comp TO r2;

-- ACL grant: domain
GRANT USAGE ON DOMAIN dom TO r2;

-- ACL grant: language
GRANT USAGE ON LANGUAGE sql TO r2;

-- ACL grant: fdw
GRANT USAGE ON FOREIGN DATA WRAPPER w2 TO r2;

-- ACL grant: server
GRANT USAGE ON FOREIGN SERVER srv TO r2;

-- ACL grant: function of Postgres
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO r2;

-- ACL grant: table of Postgres
GRANT SELECT ON pg_catalog.pg_authid TO r2;

-- ACL grant: function of an extension
GRANT EXECUTE ON FUNCTION hstore_in(cstring) TO r2;

-- ACL grant: maintain (from 17)
GRANT MAINTAIN ON t TO r2;

-- ACL: REVOKE from PUBLIC, function
REVOKE ALL ON FUNCTION cmp(comp, comp) FROM PUBLIC;

-- ACL: REVOKE from PUBLIC, type
REVOKE ALL ON TYPE rng FROM PUBLIC;

-- ACL: REVOKE from owner, table
REVOKE INSERT ON lone FROM postgres;

-- ACL: REVOKE from PUBLIC, schema public
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- default privileges
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO r2;

-- default privileges: revoke from PUBLIC
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- default privileges: large objects (from 18)
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO r2;

-- statistics object
CREATE STATISTICS st2 ON a, c FROM t;

-- statistics object: target
ALTER STATISTICS st SET STATISTICS 50;

-- column: statistics target
ALTER TABLE t ALTER a SET STATISTICS 50;

-- column: storage
ALTER TABLE t ALTER a SET STORAGE external;

-- column: compression
ALTER TABLE t ALTER a SET COMPRESSION pglz;

-- column: options
ALTER TABLE t ALTER a SET (n_distinct = 5);

-- column: collation
ALTER TABLE t ALTER c TYPE text COLLATE "C";

-- column: local and inherited
ALTER TABLE child NO INHERIT parent;
ALTER TABLE child INHERIT parent;

-- column: default
ALTER TABLE t ALTER a SET DEFAULT 1;

-- column: view default
ALTER VIEW vw ALTER a SET DEFAULT 1;

-- column: identity
ALTER TABLE ident ALTER i SET GENERATED BY DEFAULT;

-- identity: sequence options
ALTER TABLE ident ALTER i SET INCREMENT 3;

-- column: generated stored
CREATE TABLE gen (a int, b int GENERATED ALWAYS AS (a + 1) STORED);

-- column: virtual instead of stored (from 18)
ALTER TABLE gen DROP b, ADD b int GENERATED ALWAYS AS (a + 1) VIRTUAL;

-- table: options
ALTER TABLE t SET (fillfactor = 50);

-- table: toast options
ALTER TABLE t SET (toast.autovacuum_enabled = off);

-- table: CLUSTER ON
ALTER TABLE t CLUSTER ON t_b;

-- table: REPLICA IDENTITY kind
ALTER TABLE f REPLICA IDENTITY FULL;

-- table: REPLICA IDENTITY index
ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey;

-- table: tablespace
ALTER TABLE t SET TABLESPACE ts;

-- index: tablespace
ALTER INDEX t_b SET TABLESPACE ts;

-- index of constraint: tablespace
ALTER INDEX t_pkey SET TABLESPACE ts;

-- matview: tablespace
ALTER MATERIALIZED VIEW mv SET TABLESPACE ts;

-- table: OF type
CREATE TABLE typed (a int, b text);

-- table: OF type (set)
ALTER TABLE typed OF comp;

-- table: LOGGED
ALTER TABLE un SET LOGGED;

-- table: RLS
ALTER TABLE t ENABLE ROW LEVEL SECURITY;

-- table: force RLS
ALTER TABLE t FORCE ROW LEVEL SECURITY;

-- partition: attach
ALTER TABLE parted ATTACH PARTITION part2 FOR VALUES IN (2);

-- partition: detach
ALTER TABLE parted DETACH PARTITION part2;

-- partition: index attached
ALTER INDEX parted_k ATTACH PARTITION part1_k;

-- inherit
ALTER TABLE child NO INHERIT parent;

-- index: options
ALTER INDEX t_b SET (fillfactor = 50);

-- index of constraint: options
ALTER INDEX t_pkey SET (fillfactor = 50);

-- index: column statistics
ALTER INDEX t_e ALTER 1 SET STATISTICS 77;

-- index: invalid
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_b'::regclass;

-- index of constraint: rename
ALTER TABLE f RENAME CONSTRAINT pk TO pk2;

-- constraint: NOT NULL
ALTER TABLE lone ALTER x SET NOT NULL;

-- constraint: NOT NULL name (from 18)
ALTER TABLE lone RENAME CONSTRAINT lone_x_not_null TO nn;

-- constraint: NOT NULL NO INHERIT (from 18)
ALTER TABLE lone ALTER CONSTRAINT nn NO INHERIT;

-- constraint: NOT NULL NOT VALID (from 18)
ALTER TABLE parent ADD CONSTRAINT pnn NOT NULL x NOT VALID;

-- constraint: NOT NULL validated (from 18)
ALTER TABLE parent VALIDATE CONSTRAINT pnn;

-- constraint: NOT ENFORCED (from 18)
ALTER TABLE fktab ALTER CONSTRAINT fktab_x_fkey NOT ENFORCED;

-- constraint: WITHOUT OVERLAPS (from 18)
CREATE EXTENSION btree_gist;
CREATE TABLE ov (i int, r int4range, PRIMARY KEY (i, r WITHOUT OVERLAPS));

-- constraint: deferrable
ALTER TABLE f ALTER CONSTRAINT f_id_fkey DEFERRABLE;

-- constraint: NULLS NOT DISTINCT
CREATE TABLE nnd (a int UNIQUE NULLS NOT DISTINCT);

-- rule
CREATE RULE ru2 AS ON DELETE TO lone DO ALSO NOTIFY y;

-- rule: disabled
ALTER TABLE lone DISABLE RULE ru;

-- rule: white space in a literal
CREATE TABLE log (x text);
CREATE RULE ws AS ON INSERT TO lone DO ALSO INSERT INTO log VALUES ('a  b');

-- rule: white space in a literal (changed)
CREATE OR REPLACE RULE ws AS ON INSERT TO lone DO ALSO INSERT INTO log VALUES ('a b');

-- trigger: disabled
ALTER TABLE t DISABLE TRIGGER tr;

-- trigger: CREATE in a literal
CREATE TRIGGER cr BEFORE INSERT ON log FOR EACH ROW WHEN (NEW.x = 'CREATE b') EXECUTE FUNCTION tf();

-- trigger: CREATE in a literal (changed)
DROP TRIGGER cr ON log;
CREATE TRIGGER cr BEFORE INSERT ON log FOR EACH ROW WHEN (NEW.x = 'b') EXECUTE FUNCTION tf();

-- policy
CREATE POLICY po2 ON f USING (true);

-- policy: role
ALTER POLICY po ON t TO r1;

-- event trigger: ENABLE ALWAYS
ALTER EVENT TRIGGER et ENABLE ALWAYS;

-- function: DEPENDS ON EXTENSION
ALTER FUNCTION fn(int) DEPENDS ON EXTENSION hstore;

-- function: body
CREATE OR REPLACE FUNCTION fn(i int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 + 1';

-- function: cost, parallel, config
ALTER FUNCTION fn(int) COST 7 PARALLEL SAFE SET work_mem = '1MB';

-- function: support
set allow_system_table_mods = on;
ALTER FUNCTION fn(int) SUPPORT generate_series_int4_support;

-- procedure
CREATE PROCEDURE pr2() LANGUAGE sql AS $$SELECT 1$$;

-- aggregate: combine
CREATE OR REPLACE AGGREGATE ag(int) (sfunc = int4pl, stype = int, combinefunc = int4pl);

-- aggregate: parallel, sspace
CREATE OR REPLACE AGGREGATE ag(int) (sfunc = int4pl, stype = int, combinefunc = int4pl, parallel = safe, sspace = 9);

-- aggregate: sort operator
CREATE OR REPLACE AGGREGATE ag(int) (sfunc = int4pl, stype = int, sortop = <);

-- aggregate: moving
CREATE OR REPLACE AGGREGATE ag(int) (sfunc = int4pl, stype = int, msfunc = int4pl, minvfunc = int4mi, mstype = int);

-- type: shell
CREATE TYPE shell2;

-- type: base
CREATE TYPE bas;

-- type: base (made)
CREATE FUNCTION bas_in(cstring) RETURNS bas LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION bas_out(bas) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE bas (INPUT = bas_in, OUTPUT = bas_out, LIKE = int4);

-- type: base (category)
UPDATE pg_type SET typcategory = 'X' WHERE typname = 'bas';

-- type: enum label
ALTER TYPE en ADD VALUE 'c';

-- type: range collation, diff
CREATE TYPE rng2 AS RANGE (subtype = text, collation = "C");

-- type: range collation (changed)
DROP TYPE rng2;
CREATE TYPE rng2 AS RANGE (subtype = text, collation = "POSIX");

-- type: multirange name
ALTER TYPE rng2 RENAME TO rng3;
ALTER TYPE rng3 RENAME TO rng2;
ALTER TYPE rng2 SET SCHEMA s;
ALTER TYPE s.rng2 SET SCHEMA public;
UPDATE pg_type SET typname = $$mr2$$ WHERE oid = (SELECT rngmultitypid FROM pg_range WHERE rngtypid = $$rng2$$::regtype);

-- domain: constraint name
ALTER DOMAIN dom RENAME CONSTRAINT domc TO domc2;

-- domain: constraint
ALTER DOMAIN dom ADD CONSTRAINT d2 CHECK (value <> $$q$$) NOT VALID;

-- domain: collation
CREATE DOMAIN dom3 AS text;

-- domain: collation (set)
DROP DOMAIN dom3;
CREATE DOMAIN dom3 AS text COLLATE "C";

-- composite column
ALTER TYPE comp ADD ATTRIBUTE z int CASCADE;

-- publication: all options
ALTER PUBLICATION pub SET (publish = 'insert');

-- publication: row filter
ALTER PUBLICATION pub SET TABLE t WHERE (b > 1);

-- publication: columns
ALTER PUBLICATION pub SET TABLE t (id, b);

-- publication: schema
ALTER PUBLICATION pub SET TABLES IN SCHEMA s;

-- publication: via root
ALTER PUBLICATION pub SET (publish_via_partition_root = true);

-- publication: generated columns (from 18)
ALTER PUBLICATION pub SET (publish_generated_columns = stored);

-- subscription
CREATE SUBSCRIPTION sub2 CONNECTION 'host=/none dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false);

-- subscription: options
ALTER SUBSCRIPTION sub SET (binary = true);

-- subscription: connection
ALTER SUBSCRIPTION sub CONNECTION 'host=/none dbname=x password=b';

-- extension
CREATE EXTENSION citext;

-- extension: schema
ALTER EXTENSION hstore SET SCHEMA s;

-- schema public dropped
ALTER SCHEMA public RENAME TO pub2;
ALTER SCHEMA pub2 RENAME TO zz;

-- schema public (back)
ALTER SCHEMA zz RENAME TO public;

-- database: owner
ALTER DATABASE described OWNER TO r1;

-- database: settings
ALTER DATABASE described SET work_mem = '3MB';

-- database: role in it
ALTER ROLE r1 IN DATABASE described SET work_mem = '5MB';

-- database: connection limit
ALTER DATABASE described CONNECTION LIMIT 7;

-- database: is template
ALTER DATABASE described IS_TEMPLATE true;

-- database: ACL
GRANT CREATE ON DATABASE described TO r2;

-- database: REVOKE from PUBLIC
REVOKE TEMP ON DATABASE described FROM PUBLIC;

-- database: comment
COMMENT ON DATABASE described IS 'x';

-- database: security label
set allow_system_table_mods = on;
INSERT INTO pg_shseclabel VALUES ((SELECT oid FROM pg_database WHERE datname = 'described'), 'pg_database'::regclass, 'dummy', 'l');

-- role
CREATE ROLE r3;

-- role: attributes
ALTER ROLE r2 LOGIN CREATEDB CONNECTION LIMIT 3 VALID UNTIL '2030-01-01';

-- role: password
ALTER ROLE r2 PASSWORD 'x';

-- role: membership
GRANT r1 TO r2;

-- role: membership options (from 16)
GRANT r1 TO r2 WITH INHERIT FALSE, SET FALSE;

-- role: admin
GRANT r1 TO r2 WITH ADMIN OPTION;

-- role: settings
ALTER ROLE r2 SET work_mem = '4MB';

-- role: settings of all
ALTER ROLE ALL SET log_min_messages = 'warning';

-- role: comment
COMMENT ON ROLE r2 IS 'x';

-- tablespace: options
ALTER TABLESPACE ts SET (seq_page_cost = 2);

-- tablespace: ACL
GRANT CREATE ON TABLESPACE ts TO r2;

-- tablespace: owner
ALTER TABLESPACE ts OWNER TO r1;

-- parameter: ACL
GRANT SET ON PARAMETER log_min_messages TO r2;

