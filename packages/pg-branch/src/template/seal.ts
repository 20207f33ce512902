import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import { connectOwn, withOwnClient } from '../postgres/client.ts'

/**
 * Prepares a running cluster to be branched from: freezes and analyses every database, so that plans
 * are right and first reads do not write, and lets each write its relation cache.
 *
 * @throws PgBranchError `PGB_STEP_FAILED` if the seed left something that a branch cannot carry.
 */
export async function sealDatabases(admin: Client, target: DatabaseAddress): Promise<void> {
  const databases = await listDatabases(admin)
  for (const database of databases) {
    // What is as initdb left it is frozen and analysed: to do it again would only change its pages.
    if (database === target.database || (await hasOwnObjects({ ...target, database }))) {
      await vacuumDatabase({ ...target, database })
    }
  }
  // The vacuum dropped the relation cache file.
  await writeRelationCaches(target, databases)
}

/**
 * Freezes the tables of a layer, so that they keep their pages in all that is built on it: the next seal
 * finds nothing to do in them, and a store has them already.
 */
export async function freezeTables(admin: Client, target: DatabaseAddress): Promise<void> {
  for (const database of await listDatabases(admin)) {
    await withOwnClient({ ...target, database }, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `SELECT oid::regclass::text AS name FROM pg_class WHERE oid >= ${firstOwnOid} AND relkind IN ('r', 'm') AND relpersistence <> 't'`,
      )
      if (rows.length > 0) await client.query(`VACUUM (FREEZE) ${rows.map(({ name }) => name).join(', ')}`)
    })
  }
}

/** Source: access/transam.h, FirstNormalObjectId. */
const firstOwnOid = 16_384

async function hasOwnObjects(address: DatabaseAddress): Promise<boolean> {
  const { rows } = await withOwnClient(address, (client) =>
    client.query<{ found: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_class WHERE oid >= ${firstOwnOid}) OR EXISTS (SELECT FROM pg_proc WHERE oid >= ${firstOwnOid}) AS found`,
    ),
  )
  return rows[0]?.found ?? true
}

/** @returns the names of all databases of a cluster that can be connected to. */
export async function listDatabases(admin: Client): Promise<string[]> {
  const { rows } = await admin.query<{ datname: string }>(
    'SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1',
  )
  return rows.map(({ datname }) => datname)
}

/** A first connection writes the relation cache file of its database, which branches then put to use. */
export async function writeRelationCaches(target: DatabaseAddress, databases: string[]): Promise<void> {
  for (const database of databases) await (await connectOwn({ ...target, database })).end()
}

/** Freezes and analyses all that the role may. */
export async function vacuumDatabase(address: DatabaseAddress): Promise<void> {
  await withOwnClient(address, async (client) => {
    await client.query('VACUUM (FREEZE, ANALYZE)')
    // Analysing has just written to these.
    await client.query(`VACUUM (FREEZE) ${writtenByAnalyze.join(', ')}`)
  })
}

const writtenByAnalyze = ['pg_class', 'pg_statistic', 'pg_statistic_ext_data', 'pg_database', 'pg_authid'].map(
  (name) => `pg_catalog.${name}`,
)

/** A table space outside the data directory would be shared, and overwritten, by all branches. */
export async function refuseTablespaces(dataDir: string): Promise<void> {
  const entries = await readdir(join(dataDir, 'pg_tblspc'), { withFileTypes: true })
  if (!entries.some((entry) => entry.isSymbolicLink())) return
  throw new PgBranchError('the seed made a TABLESPACE outside the data directory, which branches would share', {
    code: 'PGB_STEP_FAILED',
    hint: "Leave it out, or use one inside: SET allow_in_place_tablespaces = on; CREATE TABLESPACE name LOCATION ''.",
  })
}
