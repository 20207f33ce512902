import { expect, test } from 'vitest'
import { createFrameReader } from './frames.ts'
import { createMessage } from './messages.ts'

const wanted = 0x51
const other = 0x44
const input = [
  createMessage(other, 'a row'),
  createMessage(wanted, 'pass'),
  createMessage(wanted, 'swallow'),
  createMessage(other, ''),
  createMessage(wanted, 'replace'),
  createMessage(other, 'x'.repeat(100)),
]
const expected = Buffer.concat([
  ...input.slice(0, 2),
  ...input.slice(3, 4),
  createMessage(other, 'one'),
  createMessage(other, 'two'),
  ...input.slice(5),
])

function createReader(seen: string[]): ReturnType<typeof createFrameReader> {
  return createFrameReader({
    isWanted: (type) => type === wanted,
    onMessage(message) {
      const text = message.toString('utf8', 5)
      seen.push(text)
      if (text === 'pass') return 'pass'
      return text === 'swallow' ? 'swallow' : [createMessage(other, 'one'), createMessage(other, 'two')]
    },
  })
}

test.each([1, 2, 3, 4, 5, 6, 7, 11, 50, 1_000])('in chunks of %i bytes', (size) => {
  const seen: string[] = []
  const reader = createReader(seen)
  const bytes = Buffer.concat(input)
  const out: Buffer[] = []
  for (let offset = 0; offset < bytes.length; offset += size)
    out.push(...reader.push(bytes.subarray(offset, offset + size)))
  expect(Buffer.concat(out)).toEqual(expected)
  expect(seen).toEqual(['pass', 'swallow', 'replace'])
  expect(reader.isBetweenMessages).toBe(true)
})

test('a message that is not wanted is passed on before it is there as a whole', () => {
  const reader = createReader([])
  const message = createMessage(other, 'x'.repeat(1_000))
  expect(Buffer.concat(reader.push(message.subarray(0, 500)))).toHaveLength(500)
  expect(reader.isBetweenMessages).toBe(false)
})

test('a length that is none', () => {
  expect(() => createReader([]).push(Buffer.from([wanted, 0, 0, 0, 1]))).toThrow(/says that it has 1 bytes/)
  expect(() => createReader([]).push(Buffer.from([other, 0xff, 0xff, 0xff, 0xff]))).toThrow(RangeError)
})
