import { expect, test } from 'vitest'
import { createSentinelUrl } from '../lib/sentinel-url.ts'
import { withSentinel } from './sentinel.ts'

test('no way to a real database is left, and nothing else is touched', () => {
  const env = withSentinel({
    DATABASE_URL: 'postgres://me:secret@prod/db',
    REPLICA: 'postgresql://me:secret@prod/db',
    JDBC_URL: 'jdbc:postgresql://prod/db',
    PGHOST: 'prod',
    PGHOSTADDR: '10.0.0.1',
    PGSERVICE: 'prod',
    PGPASSFILE: '/root/.pgpass',
    PGSSLMODE: 'require',
    PATH: '/bin',
    OTHER_URL: 'https://example.com/postgres://',
  })
  expect(env).toEqual({
    DATABASE_URL: createSentinelUrl('DATABASE_URL'),
    REPLICA: createSentinelUrl('REPLICA'),
    JDBC_URL: createSentinelUrl('JDBC_URL'),
    PGHOST: 'no-pg-branch-behind-this-variable.invalid',
    PGPORT: '1',
    PGUSER: 'pg-branch',
    PGPASSWORD: 'none',
    PGDATABASE: 'no-branch',
    PATH: '/bin',
    OTHER_URL: 'https://example.com/postgres://',
  })
})
