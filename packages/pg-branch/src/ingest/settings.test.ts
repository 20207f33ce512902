import { expect, test } from 'vitest'
import { explainNoFastIngest } from './settings.ts'

test('only settings that need the WAL to be read turn fast ingest off', () => {
  expect(explainNoFastIngest({})).toBeUndefined()
  expect(explainNoFastIngest({ wal_level: 'minimal', max_prepared_transactions: '0', work_mem: '1GB' })).toBeUndefined()
  expect(explainNoFastIngest({ wal_level: 'logical' })).toContain('wal_level = logical')
  expect(explainNoFastIngest({ max_prepared_transactions: '10' })).toContain('max_prepared_transactions = 10')
})
