import type pg from 'pg'
import { createLog } from '../lib/log.ts'
import type { SharedServer } from '../postgres/server.ts'

const log = createLog('template')

/** A template on a server: a database with `datistemplate`, which nobody can connect to. */
export interface ServerTemplate {
  key: string
  database: string
  bytes: number
}

/** What the comment on a template database holds: with the name, the mark by which we know our own. */
interface Mark {
  'pg-branch': 'template'
  key: string
  description: string
  usedAt: string
}

/** Names of databases have at most 63 bytes. */
export function getTemplateName(key: string): string {
  return `pgb_template_${key.slice(0, 32)}`
}

const describeTemplates = `
  SELECT datname, pg_database_size(oid)::text AS bytes, shobj_description(oid, 'pg_database') AS comment
  FROM pg_database WHERE datistemplate AND datname LIKE 'pgb\\_template\\_%'`

/** The templates on a server, shared by every machine that uses it. */
export class ServerStore {
  readonly #server: SharedServer

  constructor(server: SharedServer) {
    this.#server = server
  }

  async find(client: pg.Client, key: string): Promise<ServerTemplate | undefined> {
    const name = getTemplateName(key)
    const { rows } = await client.query<{ datname: string; bytes: string; comment: string | null }>(
      `${describeTemplates} AND datname = $1`,
      [name],
    )
    const [row] = rows
    if (row === undefined || readMark(row.comment)?.key !== key) return undefined
    return { key, database: name, bytes: Number(row.bytes) }
  }

  /** Makes the finished database `build` the template `key`: marked and closed first, named last. */
  async publish(
    client: pg.Client,
    { build, key, description }: { build: string; key: string; description: string },
  ): Promise<ServerTemplate> {
    await writeMark(client, build, { key, description })
    await client.query(`ALTER DATABASE ${build} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`)
    await client.query(`ALTER DATABASE ${build} RENAME TO ${getTemplateName(key)}`)
    const template = await this.find(client, key)
    if (template === undefined) throw new Error(`the template ${key} vanished while it was published`)
    return template
  }

  async touch(client: pg.Client, template: ServerTemplate, description: string): Promise<void> {
    await writeMark(client, template.database, { key: template.key, description })
  }

  /** Drops templates that no machine has used for so long. */
  async evict({ maxAgeDays, inUse }: { maxAgeDays: number; inUse: ReadonlySet<string> }): Promise<void> {
    const client = await this.#server.connect()
    try {
      const { rows } = await client.query<{ datname: string; comment: string | null }>(describeTemplates)
      for (const { datname, comment } of rows) {
        const mark = readMark(comment)
        const isOld = mark !== undefined && Date.parse(mark.usedAt) < Date.now() - maxAgeDays * 86_400_000
        if (!isOld || inUse.has(mark.key) || datname !== getTemplateName(mark.key)) continue
        log('evicting %s', datname)
        await client.query(`ALTER DATABASE ${datname} WITH IS_TEMPLATE false`)
        await client.query(`DROP DATABASE IF EXISTS ${datname}`)
      }
    } finally {
      await client.end()
    }
  }
}

async function writeMark(
  client: pg.Client,
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
