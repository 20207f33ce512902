import type pg from 'pg'
import * as v from 'valibot'
import { getErrorCode } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { parseRecord } from '../lib/record.ts'
import type { TemplateInfo } from './catalog.ts'
import { findEvictable } from './eviction.ts'

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
  const limits = { maxAgeDays, maxBytes: Number.POSITIVE_INFINITY, inUse }
  for (const { key } of findEvictable(await listServerTemplates(client), limits)) {
    log('evicting %s', key)
    await removeServerTemplate(client, key)
  }
}

/** @returns every template on the server, newest use first. */
export async function listServerTemplates(client: pg.PoolClient): Promise<TemplateInfo[]> {
  const { rows } = await client.query<{ datname: string; bytes: string; comment: string | null }>(describeTemplates)
  const templates = rows.flatMap(({ datname, bytes, comment }): TemplateInfo[] => {
    const mark = readMark(comment)
    if (mark === undefined || datname !== getTemplateName(mark.key)) return []
    const { key, description, usedAt } = mark
    const unknown = { postgres: undefined, createdAt: undefined, buildMs: undefined, byFastIngest: false }
    return [{ key, description, sealed: true, isReadable: true, bytes: Number(bytes), usedAt, ...unknown }]
  })
  return templates.sort((a, b) => b.usedAt.localeCompare(a.usedAt))
}

/** Drops a template, which must carry our mark. */
export async function removeServerTemplate(client: pg.PoolClient, key: string): Promise<void> {
  const template = await findServerTemplate(client, key)
  if (template === undefined) return
  await client.query(`ALTER DATABASE ${template.database} WITH IS_TEMPLATE false`)
  await client.query(`DROP DATABASE IF EXISTS ${template.database}`)
}

async function writeMark(
  client: pg.PoolClient,
  database: string,
  { key, description }: { key: string; description: string },
): Promise<void> {
  const mark: Mark = { 'pg-branch': 'template', key, description, usedAt: new Date().toISOString() }
  await client.query(`COMMENT ON DATABASE ${database} IS ${client.escapeLiteral(JSON.stringify(mark))}`)
}

const markSchema: v.GenericSchema<unknown, Mark> = v.object({
  'pg-branch': v.literal('template'),
  key: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  description: v.string(),
  usedAt: v.string(),
})

function readMark(comment: string | null): Mark | undefined {
  const result = parseRecord(comment ?? undefined, markSchema)
  return result !== undefined && 'value' in result ? result.value : undefined
}
