import type { Client } from 'pg'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { connectOwn } from '../postgres/client.ts'

/** What a branch itself knows of those who use it. */
export interface BranchState {
  /** How far its WAL has been written. */
  lsn: string
  /** Whether something could have changed without WAL: unlogged tables, replication slots. */
  hasUntraced: boolean
  /** Whether any session has a temporary table. */
  hasTemporary: boolean
  /** Process ids of sessions that hold an advisory lock. */
  lockHolders: number[]
}

/** Our own connection to a branch, with every right, kept open so that asking costs a fraction of a millisecond. */
export interface Control {
  readState(): Promise<BranchState>
  /** Whether there are functions that set what their caller's session keeps, without its knowing. */
  findHiddenSettings(): Promise<boolean>
  query(text: string): Promise<unknown>
  end(): Promise<void>
}

const stateQuery = {
  name: 'pg-branch state',
  text: `SELECT pg_current_wal_insert_lsn() AS lsn,
    EXISTS (SELECT FROM pg_class WHERE relpersistence = 'u') OR EXISTS (SELECT FROM pg_replication_slots) AS "hasUntraced",
    EXISTS (SELECT FROM pg_class WHERE relpersistence = 't') AS "hasTemporary",
    ARRAY(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid IS NOT NULL) AS "lockHolders"`,
}

const hiddenSettingsQuery = `SELECT EXISTS (SELECT FROM pg_proc WHERE oid >= 16384
  AND prosrc ~* 'set_config|(^|;|begin|then|else|loop)\\s*(set|reset)\\s') AS found`

export function createControl(client: Client): Control {
  return {
    async readState() {
      const { rows } = await client.query<BranchState>(stateQuery)
      const [state] = rows
      if (state === undefined) throw new Error('the branch answered without a row')
      return state
    },
    async findHiddenSettings() {
      const { rows } = await client.query<{ found: boolean }>(hiddenSettingsQuery)
      return rows[0]?.found ?? true
    },
    query: (text) => client.query(text),
    end: () => client.end(),
  }
}

export async function openControl(admin: DatabaseAddress): Promise<Control> {
  return createControl(await connectOwn(admin))
}
