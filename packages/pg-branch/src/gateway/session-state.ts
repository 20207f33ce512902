import { escapeIdentifier, escapeLiteral } from 'pg'
import { serialize } from 'pg-protocol'
import { backend, readFirstColumn } from './messages.ts'

/** What a session has that its successor on another branch gets too. */
export interface CarriedState {
  /** Settings that were set in the session, with their values. */
  settings: Array<[name: string, value: string]>
  /** Channels that it listens on. */
  channels: string[]
  /** PREPARE statements, as they were written. */
  prepared: string[]
}

/** What a session says when it is asked. */
export interface SessionAnswer {
  state: CarriedState
  /** What it has that cannot move, for people; undefined if nothing. */
  obstacle: string | undefined
}

export const nothingCarried: CarriedState = { settings: [], channels: [], prepared: [] }

/**
 * Asks a session for all that is to be carried over, and for what cannot be. One row, one column: JSON.
 * Everything is named with its schema, since the session may have any `search_path`.
 */
const createStateQuery = (settingNames: string) => `SELECT pg_catalog.json_build_object(
  'settings', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(s.name, pg_catalog.current_setting(s.name)))
    FROM pg_catalog.pg_settings s WHERE s.source OPERATOR(pg_catalog.=) 'session'),
  'own', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(o.name, pg_catalog.current_setting(o.name, true)))
    FROM pg_catalog.unnest(${settingNames}::pg_catalog.text[]) AS o(name)
    WHERE pg_catalog.current_setting(o.name, true) IS NOT NULL),
  'role', pg_catalog.current_setting('role'), 'user', session_user,
  'channels', (SELECT pg_catalog.json_agg(c) FROM pg_catalog.pg_listening_channels() c),
  'prepared', (SELECT pg_catalog.json_agg(p.statement) FROM pg_catalog.pg_prepared_statements p WHERE p.from_sql),
  'cursors', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors c WHERE c.is_holdable),
  'locks', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l
    WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.locktype OPERATOR(pg_catalog.=) 'advisory'),
  'temporary', (SELECT pg_catalog.min(t.relname) FROM pg_catalog.pg_class t
    WHERE t.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()))`

interface StateRow {
  settings: Array<[string, string]> | null
  own: Array<[string, string]> | null
  role: string
  user: string
  channels: string[] | null
  prepared: string[] | null
  cursors: number
  locks: number
  temporary: string | null
}

/** The name of our own statement in a client's session, for the moment that it is there. */
const statementName = '_pg_branch'

/** @returns the question, one cycle of the extended protocol: the simple one would drop the client's unnamed statement. */
export function createStateQuestion(settingNames: ReadonlySet<string>): Buffer {
  const text = createStateQuery(escapeLiteral(`{${[...settingNames].join(',')}}`))
  return Buffer.concat([
    serialize.parse({ name: statementName, text }),
    serialize.bind({ portal: statementName, statement: statementName }),
    serialize.execute({ portal: statementName }),
    serialize.close({ type: 'S', name: statementName }),
    serialize.sync(),
  ])
}

/** @param user whom the session logged in as. */
export function readStateAnswer(messages: Buffer[], user: string): SessionAnswer {
  const found = messages.find((message) => message[0] === backend.dataRow)
  const row = JSON.parse((found && readFirstColumn(found)) ?? '') as StateRow
  const settings = [...(row.settings ?? []), ...(row.own ?? [])]
  if (row.user !== user) settings.push(['session_authorization', row.user])
  if (row.role !== 'none') settings.push(['role', row.role])
  const state = { settings, channels: row.channels ?? [], prepared: row.prepared ?? [] }
  return { state, obstacle: findObstacle(row) }
}

function findObstacle({ temporary, cursors, locks }: StateRow): string | undefined {
  if (temporary !== null) return `the temporary table ${temporary}`
  if (cursors > 0) return 'a cursor WITH HOLD'
  if (locks > 0) return 'an advisory lock'
  return undefined
}

/** @returns SQL that gives a new session the state of an earlier one; undefined if there is none. */
export function createCarrySql({ settings, channels, prepared }: CarriedState): string | undefined {
  const statements = [
    // The order matters: a role may lack the right to set what came before.
    ...settings.map(
      ([name, value]) => `SELECT pg_catalog.set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, false)`,
    ),
    ...channels.map((channel) => `LISTEN ${escapeIdentifier(channel)}`),
    ...prepared.map((text) => text.replace(/;\s*$/, '')),
  ]
  return statements.length === 0 ? undefined : statements.join(';\n')
}
