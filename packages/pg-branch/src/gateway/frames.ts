/** What becomes of a message: passed on as it is, swallowed, or replaced. */
export type Verdict = 'pass' | 'swallow' | Buffer[]

export interface FrameReader {
  /** Takes what came over the wire. @returns what is to be sent on for it, in order. */
  push(chunk: Buffer): Buffer[]
  /** Whether the last message has come whole. */
  readonly isBetweenMessages: boolean
}

const headerBytes = 5
/** Beyond this a length is no length: the peer does not speak the protocol. Postgres allows 1 GB. */
const maxMessageBytes = 0x40_00_00_00

/**
 * Splits a stream of the Postgres protocol, version 3, into messages: a type byte, four bytes of length
 * that count themselves, the rest (postgresql.org, "Message Formats").
 *
 * Whoever uses it says by type which messages it wants to see; those are gathered whole. All others are
 * passed on as they come, however large, and without a copy.
 */
export function createFrameReader(handler: {
  isWanted(type: number): boolean
  onMessage(message: Buffer): Verdict
}): FrameReader {
  /** The beginning of a message that is to be gathered. */
  let gathered: Buffer[] = []
  let gatheredBytes = 0
  /** Bytes of a message, not wanted, that are still to come. */
  let passing = 0

  const gather = (rest: Buffer) => {
    gathered.push(rest)
    gatheredBytes += rest.length
  }

  /** @returns the gathered beginning with `chunk` behind it, once it is worth looking at again. */
  const complete = (chunk: Buffer): Buffer | undefined => {
    if (gatheredBytes === 0) return chunk
    gather(chunk)
    if (gatheredBytes < headerBytes) return undefined
    const first = gathered[0]?.length ?? 0
    if (first < headerBytes) gathered = [Buffer.concat(gathered)]
    const [beginning] = gathered as [Buffer]
    if (handler.isWanted(beginning[0] as number) && gatheredBytes < readLength(beginning, 0)) return undefined
    const whole = gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered)
    gathered = []
    gatheredBytes = 0
    return whole
  }

  return {
    get isBetweenMessages() {
      return gatheredBytes === 0 && passing === 0
    },
    push(chunk) {
      const bytes = complete(chunk)
      if (bytes === undefined) return []
      const out: Buffer[] = []
      let runStart = 0
      let offset = Math.min(passing, bytes.length)
      passing -= offset
      const endRun = (next: number) => {
        if (offset > runStart) out.push(bytes.subarray(runStart, offset))
        runStart = next
      }
      while (offset < bytes.length) {
        const left = bytes.length - offset
        const length = left < headerBytes ? undefined : readLength(bytes, offset)
        if (length !== undefined && !handler.isWanted(bytes[offset] as number)) {
          const here = Math.min(length, left)
          passing = length - here
          offset += here
          continue
        }
        if (length === undefined || length > left) {
          endRun(bytes.length)
          gather(bytes.subarray(offset))
          return out
        }
        const verdict = handler.onMessage(bytes.subarray(offset, offset + length))
        if (verdict !== 'pass') {
          endRun(offset + length)
          if (verdict !== 'swallow') out.push(...verdict)
        }
        offset += length
      }
      endRun(offset)
      return out
    },
  }
}

/** @returns the bytes of the message at `offset`, header included. */
function readLength(bytes: Buffer, offset: number): number {
  const length = bytes.readInt32BE(offset + 1)
  if (length < 4 || length > maxMessageBytes) throw new RangeError(`a message says that it has ${length} bytes`)
  return length + 1
}
