import { Transform, type Readable } from 'node:stream'

/**
 * Scripts are handled as *byte strings*: one character for each byte of the file, so that every byte reaches the
 * server as it is, whatever it means there. Only what people read is decoded.
 */
export type ByteString = string

/** How a file says what it is written in. */
export interface EncodingMark {
  /** Bytes of the mark. */
  bytes: number
  /** Set for UTF-16, which no Postgres reads: it is made UTF-8 on the way. */
  decoder: 'utf-16le' | 'utf-16be' | undefined
}

/** @returns the byte order mark of a text; undefined if it has none. @throws Error for one that cannot be read. */
export function findEncodingMark(start: Buffer): EncodingMark | undefined {
  const hex = start.toString('hex', 0, 4)
  if (hex === 'fffe0000' || hex === '0000feff')
    throw new Error('it is written in UTF-32, which is not supported: save it as UTF-8')
  if (hex.startsWith('fffe')) return { bytes: 2, decoder: 'utf-16le' }
  if (hex.startsWith('feff')) return { bytes: 2, decoder: 'utf-16be' }
  return hex.startsWith('efbbbf') ? { bytes: 3, decoder: undefined } : undefined
}

/** @returns the bytes of a UTF-16 stream as UTF-8. One that ends in half a character is an error. */
export function toUtf8(stream: Readable, decoder: 'utf-16le' | 'utf-16be'): Readable {
  const text = new TextDecoder(decoder, { fatal: true })
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => text.decode(chunk, { stream: true }))
    },
    flush(done) {
      attempt(done, () => text.decode())
    },
  })
  const attempt = (done: (error?: Error, chunk?: Buffer) => void, decode: () => string) => {
    let decoded: string
    try {
      decoded = decode()
    } catch {
      return done(new Error(`it is marked as ${decoder.toUpperCase()}, and has bytes that are none`))
    }
    done(undefined, Buffer.from(decoded))
  }
  stream.once('error', (error) => transform.destroy(error))
  return stream.pipe(transform)
}

/** Names of the Encoding Standard for those of Postgres whose letters differ. */
const labels: Record<string, string> = {
  BIG5: 'big5',
  EUC_CN: 'gb2312',
  EUC_JP: 'euc-jp',
  EUC_JIS_2004: 'euc-jp',
  EUC_KR: 'euc-kr',
  GB18030: 'gb18030',
  GBK: 'gbk',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  SHIFT_JIS_2004: 'shift_jis',
  SJIS: 'shift_jis',
  UHC: 'euc-kr',
  UTF8: 'utf-8',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
}

/** @returns what a byte string says in an encoding of Postgres, for people. */
export function decodeText(text: ByteString, encoding: string): string {
  const name = encoding.toUpperCase()
  const [, part] = /^(?:ISO_8859_|LATIN)(\d+)$/.exec(name) ?? []
  const [, page] = /^WIN(125\d)$/.exec(name) ?? []
  const latin: Record<string, string> = {
    LATIN5: '9',
    LATIN6: '10',
    LATIN7: '13',
    LATIN8: '14',
    LATIN9: '15',
    LATIN10: '16',
  }
  const label = labels[name] ?? (page === undefined ? `iso-8859-${latin[name] ?? part ?? '1'}` : `windows-${page}`)
  try {
    return new TextDecoder(label).decode(Buffer.from(text, 'latin1'))
  } catch {
    return text
  }
}

/** @returns the place of the first byte that is not UTF-8, counted from 0; undefined if all are. */
export function findInvalidUtf8(text: ByteString): number | undefined {
  const bytes = Buffer.from(text, 'latin1')
  const replaced = bytes.toString('utf8')
  let at = 0
  for (const char of replaced) {
    const length = Buffer.byteLength(char)
    if (char === '\uFFFD' && bytes.toString('hex', at, at + 3) !== 'efbfbd') return at
    at += length
  }
  return undefined
}

/** A character of two bytes, or, where there are such, of more, or of one that is no ASCII (source: common/wchar.c). */
const twoBytes = /[\u0080-\u00ff][^\n]/g
const sjis = /[\u0080-\u00a0\u00e0-\u00ff][^\n]|[\u00a1-\u00df]/g
/** Encodings of clients alone in which a later byte of a character may be one that means something in SQL. */
const unsafeEncodings: Record<string, RegExp> = {
  BIG5: twoBytes,
  GB18030: /[\u0080-\u00ff](?:[0-9][^\n]{2}|[^\n])/g,
  GBK: twoBytes,
  JOHAB: /\u008f[^\n]{2}|[\u0080-\u00ff][^\n]/g,
  SHIFT_JIS_2004: sjis,
  SJIS: sjis,
  UHC: twoBytes,
}

/**
 * @returns the text with every byte that is not the first of its character made harmless, so that it can be scanned for
 * marks of SQL; places are the same. (As psql does: psql_scan_prepare_buffer in psqlscan.l.)
 */
export function maskTrailBytes(text: ByteString, encoding: string): ByteString {
  const character = unsafeEncodings[encoding.toUpperCase()]
  if (character === undefined) return text
  return text.replaceAll(character, (bytes) => bytes.slice(0, 1).padEnd(bytes.length, '\u00ff'))
}
