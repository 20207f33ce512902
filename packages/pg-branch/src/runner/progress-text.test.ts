import { expect, test } from 'vitest'
import { describeBuild, describeProgress } from './progress-text.ts'

test('a step with a known size shows a bar, its rate and the time left', () => {
  const report = {
    phase: 'step 1 of 2: dump big.sql.gz',
    elapsedMs: 9_000,
    file: 'big.sql.gz',
    rows: 1200,
    statements: 7,
  }
  expect(describeProgress({ ...report, bytes: 25 * 1024 ** 2, totalBytes: 100 * 1024 ** 2 }, 5_000)).toBe(
    'step 1 of 2: dump big.sql.gz · big.sql.gz · █████░░░░░░░░░░░░░░░ 25 MB of 100 MB, 5.0 MB/s, 15.0 s left · 7 statements · 1200 rows · 5.0 s',
  )
  expect(describeProgress({ phase: 'sealing', elapsedMs: 9_000 }, 200)).toBe('sealing · 200 ms')
})

test('a finished build says what came from the cache', () => {
  const done = { buildMs: 1_500, steps: 3, stepsRun: 2, filesReused: 41, byFastIngest: true, why: 'm/42.sql was added' }
  expect(describeBuild(done)).toBe(
    'template built by fast ingest in 1.5 s, 3 steps, 1 from the cache, 41 files of step 2 from the cache (m/42.sql was added)',
  )
})
