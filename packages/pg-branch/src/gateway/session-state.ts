import { escapeIdentifier, escapeLiteral } from 'pg'
import { serialize } from 'pg-protocol'
import { findPrepare } from '../sql/find-prepare.ts'
import { backend, readFirstColumn } from './messages.ts'

/** What a session has that its successor on another branch gets too. */
export interface CarriedState {
  /** Settings that were set in the session, with their values. */
  settings: Array<[name: string, value: string]>
  /** Channels that it listens on. */
  channels: string[]
  /** PREPARE statements, each without what came in the same text. */
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
  'prepared', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(p.name, p.statement)) FROM pg_catalog.pg_prepared_statements p WHERE p.from_sql),
  'cursors', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors c WHERE c.is_holdable),
  'locks', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l
    WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.locktype OPERATOR(pg_catalog.=) 'advisory'),
  'temporary', (SELECT pg_catalog.min(t.relname) FROM pg_catalog.pg_class t
    WHERE t.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()),
  'temporaryFunction', (SELECT pg_catalog.min(f.proname) FROM pg_catalog.pg_proc f
    WHERE f.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()),
  'temporaryType', (SELECT pg_catalog.min(y.typname) FROM pg_catalog.pg_type y
    WHERE y.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
      AND y.typrelid OPERATOR(pg_catalog.=) 0 AND y.typtype OPERATOR(pg_catalog.<>) 'b'))`

interface StateRow {
  settings: Array<[string, string]> | null
  own: Array<[string, string]> | null
  role: string
  user: string
  channels: string[] | null
  prepared: Array<[name: string, statement: string]> | null
  cursors: number
  locks: number
  temporary: string | null
  temporaryFunction: string | null
  temporaryType: string | null
}

/** The name of our own statement in a client's session, for the moment that it is there. */
const statementName = '_pg_branch'

/**
 * For this one transaction: the session may have a limit in which nobody could answer anything. The first of them
 * holds for what comes after it; the last is there from PostgreSQL 17 on.
 */
const withoutLimits = [
  "SELECT pg_catalog.set_config('statement_timeout', '0', true)",
  "SELECT pg_catalog.set_config('lock_timeout', '0', true)",
  `SELECT pg_catalog.set_config(s.name, '0', true) FROM pg_catalog.pg_settings s
    WHERE s.name OPERATOR(pg_catalog.=) 'transaction_timeout'`,
]

/** @returns the question, one cycle of the extended protocol: the simple one would drop the client's unnamed statement. */
export function createStateQuestion(settingNames: ReadonlySet<string>): Buffer {
  const text = createStateQuery(escapeLiteral(`{${[...settingNames].join(',')}}`))
  return Buffer.concat([...[...withoutLimits, text].flatMap(createExecution), serialize.sync()])
}

function createExecution(text: string): Buffer[] {
  return [
    // One that was cut off may have left it there; closing what is not there is no error.
    serialize.close({ type: 'S', name: statementName }),
    serialize.parse({ name: statementName, text }),
    serialize.bind({ portal: statementName, statement: statementName }),
    serialize.execute({ portal: statementName }),
    serialize.close({ type: 'P', name: statementName }),
    serialize.close({ type: 'S', name: statementName }),
  ]
}

/** @param user whom the session logged in as. */
export function readStateAnswer(messages: Buffer[], user: string): SessionAnswer {
  // Those before are of the limits.
  const found = messages.findLast((message) => message[0] === backend.dataRow)
  const row = JSON.parse((found && readFirstColumn(found)) ?? '') as StateRow
  const settings = [...(row.settings ?? []), ...(row.own ?? [])]
  if (row.user !== user) settings.push(['session_authorization', row.user])
  if (row.role !== 'none') settings.push(['role', row.role])
  const isOff = ([name, value]: [string, string]) => name === 'standard_conforming_strings' && value === 'off'
  const reading = { standardConformingStrings: !settings.some(isOff) }
  const prepared = (row.prepared ?? []).flatMap(([name, text]) => findPrepare(text, name, reading) ?? [])
  const state = { settings, channels: row.channels ?? [], prepared }
  return { state, obstacle: findObstacle(row) }
}

function findObstacle(row: StateRow): string | undefined {
  const { temporary, temporaryFunction, temporaryType, cursors, locks } = row
  if (temporary !== null) return `the temporary table ${temporary}`
  if (temporaryFunction !== null) return `the temporary function ${temporaryFunction}`
  if (temporaryType !== null) return `the temporary type ${temporaryType}`
  if (cursors > 0) return 'a cursor WITH HOLD'
  if (locks > 0) return 'an advisory lock'
  return undefined
}

/** Limits that hold for each statement by itself. */
const statementLimits = ['statement_timeout', 'lock_timeout']

/** @returns SQL that gives a new session the state of an earlier one, each statement for itself. */
export function createCarrySql({ settings, channels, prepared }: CarriedState): string[] {
  if (settings.length + channels.length + prepared.length === 0) return []
  const isLimit = ([name]: [string, string]) => name.endsWith('_timeout')
  const set = ([name, value]: [string, string]) =>
    `SELECT pg_catalog.set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, false)`
  return [
    // What the role, the database or the client itself has set as a default may be too short for any of these.
    ...statementLimits.map((name) => `SET ${name} = 0`),
    // The order matters: a role may lack the right to set what came before.
    ...settings.filter((setting) => !isLimit(setting)).map(set),
    ...channels.map((channel) => `LISTEN ${escapeIdentifier(channel)}`),
    ...prepared,
    // From here on a statement may be too slow.
    ...statementLimits.map((name) => `RESET ${name}`),
    ...settings.filter(isLimit).map(set),
  ]
}
