import { expect, test } from 'vitest'
import { definesCode, mayLeaveState } from './leaves-state.ts'

test.each([
  'SET work_mem = 1',
  'SELECT 1; set work_mem = 1',
  '/* why */ RESET ALL',
  '-- why\nLISTEN a',
  `SELECT set_config('a.b', $1, false)`,
  'SELECT pg_advisory_lock(1)',
  'CREATE TEMPORARY TABLE a ()',
  'SELECT * INTO TEMP a FROM b',
  'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
  'DO $$ BEGIN END $$',
  'CALL something()',
])('may: %s', (text) => expect(mayLeaveState(text)).toBe(true))

test.each([
  'SELECT * FROM t',
  'UPDATE t SET a = 1 WHERE b = 2',
  'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1',
  'BEGIN',
  'SELECT * FROM settings',
])('does not: %s', (text) => expect(mayLeaveState(text)).toBe(false))

test('code', () => {
  expect(definesCode('create or replace function f() returns void')).toBe(true)
  expect(definesCode('SELECT f()')).toBe(false)
})
