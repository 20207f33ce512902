import type { Client } from 'pg'
import { PgBranchError } from '../../lib/errors.ts'
import type { StepRun } from './contract.ts'
import { parseConnectCommand, parseDatabaseStatement } from './psql-command.ts'

/** The connection of a script, which psql commands and DROP DATABASE may move to another database. */
export class SqlSession {
  readonly #run: StepRun
  #client: Client | undefined
  #current: string
  database: string

  constructor(run: StepRun) {
    this.#run = run
    this.#current = run.target.database
    this.database = run.target.database
  }

  async getClient(): Promise<Client> {
    this.#client ??= await this.#run.connect({ ...this.#run.target, database: this.#current })
    return this.#client
  }

  /** Each file starts as psql would start it: in the step's database, nothing set. */
  async reset(): Promise<void> {
    if (this.#current !== this.database) await this.#moveTo(this.database)
    await (await this.getClient()).query('DISCARD ALL')
  }

  /** @returns rows affected. */
  async runStatement(text: string): Promise<number> {
    const { dropped, created } = parseDatabaseStatement(text)
    if (this.#run.target.shared && (dropped ?? created) !== undefined) throw createSharedError(text)
    // Postgres refuses to drop the database one is connected to; scripts expect to be in another.
    if (dropped !== undefined && dropped === this.#current) await this.#moveTo(this.#maintenanceDatabase())
    const result = (await (await this.getClient()).query(text)) as
      | { rowCount: number | null }
      | Array<{ rowCount: number | null }>
    if (created !== undefined) this.#run.log(`created database ${created}`)
    const results = Array.isArray(result) ? result : [result]
    return results.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)
  }

  async runCommand(text: string): Promise<void> {
    if (/^\\(un)?restrict\b/.test(text)) return
    const database = parseConnectCommand(text)
    if (this.#run.target.shared && database !== this.#current) throw createSharedError(text)
    await this.#moveTo(database)
    this.database = database
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => {})
    this.#client = undefined
  }

  #maintenanceDatabase(): string {
    return this.#current === 'postgres' ? 'template1' : 'postgres'
  }

  async #moveTo(database: string): Promise<void> {
    if (database === this.#current && this.#client !== undefined) return
    await this.close()
    this.#current = database
    await this.getClient()
  }
}

/** On a server of the user's a script may have any database in its hands: we would not know what it drops. */
function createSharedError(text: string): PgBranchError {
  return new PgBranchError(`\`${text.split('\n', 1)[0]}\` would leave the database being built`, {
    code: 'PGB_STEP_FAILED',
    hint: 'With `server`, a branch is one database, and a seed stays in it. Leave this out, or use the provider `embedded` or `system`, where a branch is a whole server.',
  })
}
