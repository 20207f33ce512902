import { createReadStream, type ReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Transform, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { findEncodingMark, toUtf8, type ByteString } from '../sql/text-encoding.ts'
import type { DumpFormat } from './dump-format.ts'

const readBytes = 256 * 1024

/** Text of a file, and how many bytes of the file itself have been read for it. */
export interface OpenText {
  /** Gives buffers. An error while reading destroys it. */
  text: Readable
  file: ReadStream
  /** Whether it is UTF-8 by a mark of its own, which is left out. */
  isUtf8: boolean
  /** Whether it was UTF-16, and has been changed to UTF-8. */
  isTranscoded: boolean
}

/** @returns the file's text, decompressed. */
export async function openText(
  path: string,
  { format, name }: { format: Exclude<DumpFormat, 'archive'>; name: string },
): Promise<OpenText> {
  try {
    const mark = findEncodingMark(await readStart(path, format))
    const { file, stream } = openBytes(path, format)
    if (mark?.decoder !== undefined) {
      return { text: keepError(toUtf8(stream, mark.decoder)), file, isUtf8: true, isTranscoded: true }
    }
    return { text: stream, file, isUtf8: mark !== undefined, isTranscoded: false }
  } catch (error) {
    throw createReadError(name, error)
  }
}

/** Gives a text in pieces of whole lines, every byte as it is, without a mark at its beginning. */
export async function* readLines({ text, isUtf8, isTranscoded }: OpenText, name: string): AsyncGenerator<ByteString> {
  let rest = ''
  let isFirst = isUtf8 && !isTranscoded
  try {
    for await (const chunk of text) {
      let piece: ByteString = rest + (chunk as Buffer).toString('latin1')
      if (isFirst && piece.length >= 3) {
        piece = piece.slice(3)
        isFirst = false
      }
      const end = piece.lastIndexOf('\n') + 1
      rest = piece.slice(end)
      if (end > 0) yield piece.slice(0, end)
    }
  } catch (error) {
    throw createReadError(name, error)
  }
  if (rest !== '') yield rest
}

function createReadError(name: string, error: unknown): PgBranchError {
  return new PgBranchError(`${name} cannot be read: ${describeError(error)}`, {
    code: 'PGB_STEP_FAILED',
    hint: 'Is it whole? A compressed file that was cut off, or changed, cannot be unpacked.',
    cause: error,
  })
}

function openBytes(path: string, format: Exclude<DumpFormat, 'archive'>): { file: ReadStream; stream: Readable } {
  const file = createReadStream(path, { highWaterMark: readBytes })
  const decoder = format === 'gzip' ? createGunzip() : format === 'zstd' ? createUnzstd() : undefined
  if (decoder === undefined) return { file, stream: keepError(file) }
  file.once('error', (error) => decoder.destroy(error))
  return { file, stream: keepError(file.pipe(decoder)) }
}

/** What goes wrong before anybody reads is told to whoever reads then; with no listener it would end the process. */
function keepError<T extends Readable>(stream: T): T {
  return stream.on('error', () => {})
}

/** @returns the first bytes of the text, fewer if it is shorter. */
async function readStart(path: string, format: Exclude<DumpFormat, 'archive'>): Promise<Buffer> {
  if (format === 'plain') {
    await using handle = await open(path)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  }
  const { file, stream } = openBytes(path, format)
  try {
    for await (const chunk of stream) return chunk as Buffer
    return Buffer.alloc(0)
  } finally {
    stream.destroy()
    file.destroy()
  }
}

function createUnzstd(): Transform {
  const stream = new Decompress((piece) => void transform.push(piece))
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(() => stream.push(chunk), done)
    },
    flush(done) {
      attempt(() => stream.push(new Uint8Array(0), true), done)
    },
  })
  return transform
}

function attempt(action: () => void, done: (error?: Error) => void): void {
  try {
    action()
  } catch (error) {
    done(error as Error)
    return
  }
  done()
}
