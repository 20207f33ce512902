import { serialize } from 'pg-protocol'
import { expect, test } from 'vitest'
import { findBoundSettingNames, findSettingNames } from './setting-names.ts'

test.each([
  [`SET app.tenant = '7'`, ['app.tenant']],
  [`set session "app"."tenant" to '7'; SET LOCAL a.b.c TO 1`, ['app.tenant', 'a.b.c']],
  [`SELECT set_config('app.user', $1, false)`, ['app.user']],
  [`SET work_mem = '1MB'`, []],
  [`UPDATE t SET body = 'x' WHERE t.id = 1`, []],
  [`SET /* of the request */ app.tenant -- whose\n = '7'`, ['app.tenant']],
  [`SELECT '--'; SET app.tenant = '/*'`, ['app.tenant']],
  [`SELECT offset FROM a.b`, []],
])('%s', (text, names) => {
  expect(findSettingNames(text)).toEqual(names)
})

test('names that are values of set_config', () => {
  const bind = serialize.bind({ statement: 's', values: ['app.user', null, 'not a name', 'x'] })
  expect(findBoundSettingNames('SELECT set_config($1, $2, $3)', bind)).toEqual(['app.user'])
  expect(findBoundSettingNames('SELECT $1', bind)).toEqual([])
})
