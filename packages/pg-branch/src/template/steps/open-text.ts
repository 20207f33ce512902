import { createReadStream, type ReadStream } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import type { DumpFormat } from './dump-format.ts'

const readBytes = 256 * 1024

/** Text of a file, and how many bytes of the file itself have been read for it. */
export interface OpenText {
  text: Readable
  file: ReadStream
}

/** @returns the file's text, decompressed, as a stream of strings. An error while reading destroys it. */
export function openText(path: string, format: Exclude<DumpFormat, 'archive'>): OpenText {
  const file = createReadStream(path, { highWaterMark: readBytes })
  const decoder = format === 'gzip' ? createGunzip() : format === 'zstd' ? createUnzstd() : undefined
  const text = decoder === undefined ? file : file.pipe(decoder)
  if (decoder !== undefined) file.once('error', (error) => decoder.destroy(error))
  text.setEncoding('utf8')
  return { text, file }
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
