import type { Writable } from 'node:stream'
import { escapeIdentifier, type Client } from 'pg'
import { PgBranchError } from '../lib/errors.ts'
import { createScramVerifier } from '../postgres/password.ts'
import type { LexerSession } from '../sql/split-sql.ts'
import { decodeText, type ByteString } from '../sql/text-encoding.ts'
import type { StepRun } from './contract.ts'
import {
  createUnsupportedError,
  getConnectDatabase,
  isPrinting,
  parseDatabaseStatement,
  parsePsqlCommand,
  type PsqlCommand,
} from './psql-command.ts'

/** What we use of node-postgres's connection, which it does not document. */
interface Wire {
  stream: Writable
  query(text: string): void
  on(event: 'parameterStatus', listener: (message: { parameterName: string; parameterValue: string }) => void): void
}

const queryType = 0x51

/**
 * The connection of a script, which psql commands and DROP DATABASE may move to another database. Texts are byte
 * strings, and reach the server byte by byte: what these mean `client_encoding` says, which is at first the
 * database's own encoding, as in psql.
 */
export class SqlSession implements LexerSession {
  readonly #run: StepRun
  readonly #variables = new Map<string, string>()
  readonly #reported = new Map<string, string>()
  #client: Client | undefined
  #current: string
  /** As SQL: what the file's bytes mean where nothing else is said. */
  #fileEncoding = ownEncoding
  #isTranscoded = false
  /** In which the script is to end. */
  database: string
  /** Databases that `\connect` has led to. */
  readonly visited: Set<string> = new Set()
  /** Set by `\q`: nothing more of the file is run. */
  hasQuit = false

  constructor(run: StepRun) {
    this.#run = run
    this.#current = run.target.database
    this.database = run.target.database
  }

  get standardConformingStrings(): boolean {
    return this.#reported.get('standard_conforming_strings') !== 'off'
  }

  get clientEncoding(): string {
    return this.#reported.get('client_encoding') ?? 'UTF8'
  }

  /** Those that the script has set, and those that psql sets by itself. */
  get variables(): ReadonlyMap<string, string> {
    const { host, port, user } = this.#run.target
    const given = { DBNAME: this.#current, ENCODING: this.clientEncoding, HOST: host, PORT: String(port), USER: user }
    const own = Object.entries(given).map(([name, value]) => [name, Buffer.from(value).toString('latin1')] as const)
    return new Map([...own, ...this.#variables])
  }

  /** Whether a transaction was begun and not ended. */
  get isInTransaction(): boolean {
    return this.#client !== undefined && this.#client.getTransactionStatus() !== 'I'
  }

  async getClient(): Promise<Client> {
    this.#client ??= await this.#connect()
    return this.#client
  }

  /**
   * @param file.isUtf8 whether it says by a mark that it is UTF-8.
   * @param file.isTranscoded whether it has been made UTF-8 on the way: what it says of its encoding does not hold.
   */
  async reset({ isUtf8, isTranscoded }: { isUtf8: boolean; isTranscoded: boolean }): Promise<void> {
    this.#fileEncoding = isUtf8 ? "'UTF8'" : ownEncoding
    this.#isTranscoded = isTranscoded
    if (this.#current !== this.database) await this.#moveTo(this.database)
    this.hasQuit = false
    this.#variables.clear()
    const client = await this.getClient()
    await client.query('DISCARD ALL')
    await setEncoding(client, this.#fileEncoding)
  }

  /** @returns rows affected. */
  async runStatement(text: ByteString): Promise<number> {
    const decoded = decodeText(text, this.clientEncoding)
    const { dropped, created } = parseDatabaseStatement(decoded)
    if (this.#run.target.shared && (dropped ?? created) !== undefined) throw createSharedError(decoded)
    // Postgres refuses to drop the database one is connected to; scripts expect to be in another.
    if (dropped !== undefined && dropped === this.#current) await this.#moveTo(this.#maintenanceDatabase())
    const client = await this.getClient()
    const result = (await client.query(text)) as { rowCount: number | null } | Array<{ rowCount: number | null }>
    if (created !== undefined) this.#run.log(`created database ${created}`)
    if (this.#changesOwnPassword(decoded)) await this.#restorePassword(client)
    const results = Array.isArray(result) ? result : [result]
    return results.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)
  }

  /** @throws PgBranchError `PGB_STEP_FAILED` for one that is not followed. */
  async runCommand(text: ByteString): Promise<void> {
    const command = parsePsqlCommand(text, this.variables)
    if (isPrinting(command)) return
    const { name, words } = command
    if (name === '\\connect' || name === '\\c') await this.#enter(this.#decode(command))
    else if (name === '\\encoding' && words[0] !== undefined) {
      if (this.#isTranscoded) return
      await (await this.getClient()).query(`SELECT pg_catalog.set_config('client_encoding', $1, false)`, [words[0]])
    } else if (name === '\\set' && words.length > 0) this.#set(command)
    else if (name === '\\unset') this.#variables.delete(words[0] ?? '')
    else if (name === '\\q' || name === '\\quit') this.hasQuit = true
    else throw createUnsupportedError(this.#decode(command))
  }

  #decode({ name, words }: PsqlCommand): PsqlCommand {
    return { name, words: words.map((word) => decodeText(word, this.clientEncoding)) }
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => {})
    this.#client = undefined
  }

  async #enter(command: PsqlCommand): Promise<void> {
    const database = getConnectDatabase(command)
    if (this.#run.target.shared && database !== this.#current)
      throw createSharedError([command.name, database].join(' '))
    // psql makes a new session, also in the same database: what was set, opened or begun in the last is gone.
    await this.#moveTo(database)
    this.database = database
    this.visited.add(database)
  }

  #set(command: PsqlCommand): void {
    const [name = '', ...values] = command.words
    const value = values.join('')
    if (usualModes[name]?.test(value) === false) throw createUnsupportedError({ ...command, name: `\\set ${name}` })
    this.#variables.set(name, value)
  }

  #maintenanceDatabase(): string {
    return this.#current === 'postgres' ? 'template1' : 'postgres'
  }

  async #moveTo(database: string): Promise<void> {
    await this.close()
    this.#current = database
    await this.getClient()
  }

  async #connect(): Promise<Client> {
    const client = await this.#run.connect({ ...this.#run.target, database: this.#current })
    const { connection: wire } = client as unknown as { connection: Wire }
    wire.on('parameterStatus', ({ parameterName, parameterValue }) => this.#reported.set(parameterName, parameterValue))
    wire.query = (text) => void wire.stream.write(createQuery(text))
    const { rows } = await client.query<{ strings: string }>(
      "SELECT current_setting('standard_conforming_strings') AS strings",
    )
    this.#reported.set('standard_conforming_strings', rows[0]?.strings ?? 'on')
    await setEncoding(client, this.#fileEncoding)
    return client
  }

  /** A dump of roles sets the password of its own superuser, with which we could not come in again. */
  #changesOwnPassword(text: string): boolean {
    const { user } = this.#run.target
    const [, name] = /^ALTER\s+(?:ROLE|USER)\s+("(?:[^"]|"")+"|[^\s;]+)[\s\S]*\bPASSWORD\b/i.exec(text) ?? []
    return name !== undefined && [user, escapeIdentifier(user), 'current_user', 'session_user'].includes(name)
  }

  async #restorePassword(client: Client): Promise<void> {
    const { user, password, shared } = this.#run.target
    if (shared) return
    await client.query(`ALTER ROLE ${escapeIdentifier(user)} PASSWORD '${createScramVerifier(password)}'`)
  }
}

/** Variables that change how psql runs a script, with the values by which it is run as it is here. */
const usualModes: Record<string, RegExp> = {
  AUTOCOMMIT: /^(on?|1|t(rue)?|y(es)?|)$/i,
  ON_ERROR_ROLLBACK: /^(off?|0|f(alse)?|no?|interactive)$/i,
  SINGLELINE: /^(off?|0|f(alse)?|no?)$/i,
}

const ownEncoding =
  '(SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())'

async function setEncoding(client: Client, encoding: string): Promise<void> {
  await client.query(`SELECT pg_catalog.set_config('client_encoding', ${encoding}, false)`)
}

/** A Query message whose text is the bytes of a byte string (postgresql.org, "Message Formats"). */
function createQuery(text: ByteString): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const message = Buffer.alloc(bytes.length + 6)
  message.writeUInt8(queryType, 0)
  message.writeInt32BE(bytes.length + 5, 1)
  bytes.copy(message, 5)
  return message
}

/** On a server of the user's a script may have any database in its hands: we would not know what it drops. */
function createSharedError(text: string): PgBranchError {
  return new PgBranchError(`\`${text.split('\n', 1)[0]}\` would leave the database being built`, {
    code: 'PGB_STEP_FAILED',
    hint: 'With `server`, a branch is one database, and a seed stays in it. Leave this out, or use the provider `embedded` or `system`, where a branch is a whole server.',
  })
}
