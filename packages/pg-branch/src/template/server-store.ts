import type pg from 'pg'
import { getErrorCode } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'

const log = createLog('template')

/** A template on a server: a database with `datistemplate`, which nobody can connect to. */
export interface ServerTemplate {
  key: string
  database: string
  bytes: number
  description: string
}

/** What the comment on a template database holds: with the name, the mark by which we know our own. */
interface Mark {
  'pg-branch': 'template'
  key: string
  description: string
  usedAt: string
}

/** Names of databases have at most 63 bytes; a key has 32. */
const getTemplateName = (key: string) => `pgb_template_${key}`

const describeTemplates = `
  SELECT datname, pg_database_size(oid)::text AS bytes, shobj_description(oid, 'pg_database') AS comment
  FROM pg_database WHERE datistemplate AND datname LIKE 'pgb\\_template\\_%'`

/** @returns the template `key`, whichever machine built it. */
export async function findServerTemplate(client: pg.PoolClient, key: string): Promise<ServerTemplate | undefined> {
  const database = getTemplateName(key)
  const { rows } = await client.query<{ bytes: string; comment: string | null }>(
    `${describeTemplates} AND datname = $1`,
    [database],
  )
  const [row] = rows
  const mark = readMark(row?.comment ?? null)
  if (row === undefined || mark?.key !== key) return undefined
  return { key, database, bytes: Number(row.bytes), description: mark.description }
}

/**
 * Makes the finished database `build` the template `key`: marked and closed first, named last. Whoever
 * comes second, with another plan that begins alike, takes the first one's.
 *
 * @returns the template, and whether `build` became it.
 */
export async function publishServerTemplate(
  client: pg.PoolClient,
  { build, key, description }: { build: string; key: string; description: string },
): Promise<{ template: ServerTemplate; isOurs: boolean }> {
  await writeMark(client, build, { key, description })
  await client.query(`ALTER DATABASE ${build} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`)
  let isOurs = true
  try {
    await client.query(`ALTER DATABASE ${build} RENAME TO ${getTemplateName(key)}`)
  } catch (error) {
    if (getErrorCode(error) !== duplicateDatabase) throw error
    isOurs = false
  }
  const template = await findServerTemplate(client, key)
  if (template === undefined) throw new Error(`the template ${key} vanished while it was published`)
  return { template, isOurs }
}

/** SQLSTATE duplicate_database. */
const duplicateDatabase = '42P04'

export async function touchServerTemplate(client: pg.PoolClient, template: ServerTemplate): Promise<void> {
  await writeMark(client, template.database, template)
}

/** Drops templates that no machine has used for so long. */
export async function evictServerTemplates(
  client: pg.PoolClient,
  { maxAgeDays, inUse }: { maxAgeDays: number; inUse: ReadonlySet<string> },
): Promise<void> {
  const { rows } = await client.query<{ datname: string; comment: string | null }>(describeTemplates)
  for (const { datname, comment } of rows) {
    const mark = readMark(comment)
    const isOld = mark !== undefined && Date.parse(mark.usedAt) < Date.now() - maxAgeDays * 86_400_000
    if (!isOld || inUse.has(mark.key) || datname !== getTemplateName(mark.key)) continue
    log('evicting %s', datname)
    await client.query(`ALTER DATABASE ${datname} WITH IS_TEMPLATE false`)
    await client.query(`DROP DATABASE IF EXISTS ${datname}`)
  }
}

async function writeMark(
  client: pg.PoolClient,
  database: string,
  { key, description }: { key: string; description: string },
): Promise<void> {
  const mark: Mark = { 'pg-branch': 'template', key, description, usedAt: new Date().toISOString() }
  await client.query(`COMMENT ON DATABASE ${database} IS ${client.escapeLiteral(JSON.stringify(mark))}`)
}

function readMark(comment: string | null): Mark | undefined {
  try {
    const mark = JSON.parse(comment ?? '') as Mark | null
    return mark?.['pg-branch'] === 'template' ? mark : undefined
  } catch {
    return undefined
  }
}
