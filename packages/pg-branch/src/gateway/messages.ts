import { PgBranchError } from '../lib/errors.ts'

/** Type bytes of the protocol, version 3 (postgresql.org, "Message Formats"). */
export const frontend = {
  bind: 0x42,
  close: 0x43,
  copyDone: 0x63,
  copyFail: 0x66,
  describe: 0x44,
  functionCall: 0x46,
  parse: 0x50,
  password: 0x70,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
} as const

export const backend = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  commandComplete: 0x43,
  copyInResponse: 0x47,
  dataRow: 0x44,
  errorResponse: 0x45,
  noticeResponse: 0x4e,
  notification: 0x41,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  readyForQuery: 0x5a,
} as const

/** What an Authentication message asks for, by its first number. */
export const authentication = { ok: 0, cleartext: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const

/** The SQLSTATEs that the gateway gives itself (postgresql.org, "PostgreSQL Error Codes"). */
export const sqlState = {
  adminShutdown: '57P01',
  connectionFailure: '08006',
  queryCanceled: '57014',
  tooManyConnections: '53300',
} as const

const headerBytes = 5

/** A message with its header. */
export function createMessage(type: number, ...parts: Array<Buffer | string>): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  const header = Buffer.allocUnsafe(headerBytes)
  header.writeUInt8(type, 0)
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

export function createInt32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value, 0)
  return bytes
}

/** @returns the text up to the next zero byte, and where what follows begins. */
export function readCString(message: Buffer, offset: number): { text: string; next: number } {
  const end = message.indexOf(0, offset)
  if (end === -1) throw new RangeError('a text of a message does not end')
  return { text: message.toString('utf8', offset, end), next: end + 1 }
}

/** @returns the texts that a message consists of, up to an empty one. */
export function readCStrings(message: Buffer, offset: number): string[] {
  const texts: string[] = []
  while (offset < message.length) {
    const { text, next } = readCString(message, offset)
    if (text === '') break
    texts.push(text)
    offset = next
  }
  return texts
}

/** What Postgres says of an error, as far as we use it. */
export interface ErrorFields {
  severity?: 'ERROR' | 'FATAL'
  code: string
  message: string
  detail?: string | undefined
  hint?: string | undefined
}

export function createErrorResponse({ severity = 'FATAL', code, message, detail, hint }: ErrorFields): Buffer {
  const fields = { S: severity, V: severity, C: code, M: message, D: detail, H: hint }
  const texts = Object.entries(fields).map(([type, text]) => (text === undefined ? '' : `${type}${text}\0`))
  return createMessage(backend.errorResponse, ...texts, '\0')
}

export function readErrorResponse(message: Buffer): ErrorFields {
  const fields = new Map(readCStrings(message, headerBytes).map((text) => [text[0], text.slice(1)]))
  return {
    severity: fields.get('V') === 'ERROR' ? 'ERROR' : 'FATAL',
    code: fields.get('C') ?? 'XX000',
    message: fields.get('M') ?? 'unknown error',
    detail: fields.get('D'),
    hint: fields.get('H'),
  }
}

/** @returns the first column of a DataRow, undefined if it is NULL. */
export function readFirstColumn(message: Buffer): string | undefined {
  const start = headerBytes + 2
  const length = message.readInt32BE(start)
  return length < 0 ? undefined : message.toString('utf8', start + 4, start + 4 + length)
}

/** What the server, or the gateway in its place, refuses a client with. */
export class GatewayRefusal extends PgBranchError {
  readonly fields: ErrorFields
  /** The server's own words, if it was the server. */
  readonly response: Buffer | undefined

  constructor(fields: ErrorFields, response?: Buffer) {
    super(fields.message, { code: 'PGB_GATEWAY', hint: fields.hint })
    this.fields = fields
    this.response = response
  }
}
