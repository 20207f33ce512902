import { expect, test } from 'vitest'
import { findPrepare } from './find-prepare.ts'

test.each([
  ['alone', 'PREPARE p AS SELECT 1', 'PREPARE p AS SELECT 1'],
  ['beside another', "PREPARE p AS SELECT ';'; INSERT INTO t VALUES (1)", "PREPARE p AS SELECT ';'"],
  ['behind another', 'DELETE FROM t; -- why\nPREPARE P(int) AS SELECT $1;', 'PREPARE P(int) AS SELECT $1'],
  ['another of that text', 'PREPARE q AS SELECT 2; PREPARE "p" AS SELECT 1;', 'PREPARE "p" AS SELECT 1'],
  ['in a function', "DO $$ BEGIN EXECUTE 'PREPARE p AS SELECT 1'; END $$", undefined],
])('%s', (_, text, expected) => {
  expect(findPrepare(text, 'p')).toBe(expected)
})
