import { expect, test } from 'vitest'
import type { RunReport } from '../protocol/protocol.ts'
import { describeRun, describeRunAsMarkdown, listAnnotations } from './run-report.ts'

const report: RunReport = {
  baseDir: '/project',
  template: '1a2b3c4d5e6f',
  built: 'first build of this project',
  buildMs: 1_700,
  fetchedFrom: undefined,
  postgres: 'embedded postgres (PostgreSQL) 18.4',
  volume: 'btrfs on /volume',
  advice: undefined,
  leaseMs: [0.2, 0.3, 150],
  warm: 2,
  forkMs: [40],
  resets: 0,
  pristine: 0,
  kept: [],
}

test('a run as a block', () => {
  expect(describeRun([report])).toBe(`pg-branch
  template  1a2b3c4d, built in 1.7 s: first build of this project
  postgres  embedded postgres (PostgreSQL) 18.4
  branches  3 leased, 2 of them made ahead
  lease     p50 0.3 ms, p95 150 ms
  fork      p50 40.0 ms, p95 40.0 ms, in the background
  volume    btrfs on /volume`)
  expect(describeRun([])).toBe('')
})

test('where a template came from', () => {
  expect(describeRun([{ ...report, built: undefined }])).toContain('template  1a2b3c4d, from the cache\n')
  expect(describeRun([{ ...report, fetchedFrom: 'ghcr.io/you/app' }])).toContain(
    '1a2b3c4d, fetched from ghcr.io/you/app in 1.7 s',
  )
})

test('kept branches, in a block, in Markdown and as annotations', () => {
  const kept = [{ reason: 'a | b\n> fails 100%', psqlLine: 'psql -p 1', forMs: 3_600_000 }]
  expect(describeRun([{ ...report, kept }])).toContain(
    '  kept      a | b\n> fails 100% (for 1 h 00 min)\n            psql -p 1',
  )
  expect(describeRunAsMarkdown([{ ...report, kept }])).toContain(
    '| template | 1a2b3c4d, built in 1.7 s: first build of this project |',
  )
  expect(listAnnotations([{ ...report, kept }])).toEqual([
    '::warning title=pg-branch kept a branch::a | b%0A> fails 100%25: psql -p 1',
  ])
})
