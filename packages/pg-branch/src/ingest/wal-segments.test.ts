import { expect, test } from 'vitest'
import { formatSegmentName, parseLsn } from './wal-segments.ts'

test('names segments as Postgres does', () => {
  const mebibyte = 1024 ** 2
  const at = (lsn: string, segmentBytes: number) =>
    formatSegmentName({ timeline: 1, segment: Number(parseLsn(lsn) / BigInt(segmentBytes)), segmentBytes })
  // As pg_walfile_name() of a server with that segment size says.
  expect(at('0/1500028', 16 * mebibyte)).toBe('000000010000000000000001')
  expect(at('2A/FF000001', 16 * mebibyte)).toBe('000000010000002A000000FF')
  expect(at('0/1500028', mebibyte)).toBe('000000010000000000000015')
  expect(at('1/FFF00028', mebibyte)).toBe('000000010000000100000FFF')
  expect(at('2/28', mebibyte)).toBe('000000010000000200000000')
})
