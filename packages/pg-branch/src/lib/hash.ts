import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** @returns 32 hexadecimal digits (128 bits of SHA-256) over `value` written as JSON. */
export function hashValue(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32)
}

/** @returns 32 hexadecimal digits (128 bits of SHA-256) over the file's bytes; memory use is constant. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex').slice(0, 32)
}

/** @returns `bytes` random bytes in hexadecimal. */
export function createRandomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}
