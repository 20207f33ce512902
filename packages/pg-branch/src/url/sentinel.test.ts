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
    JDBC_URL: createSentinelUrl('JDBC_URL', 'jdbc:postgresql://'),
    PGHOST: 'no-pg-branch-behind-this-variable.invalid',
    PGPORT: '1',
    PGUSER: 'pg-branch',
    PGPASSWORD: 'none',
    PGDATABASE: 'no-branch',
    PATH: '/bin',
    OTHER_URL: 'https://example.com/postgres://',
  })
})

test.each([
  'postgres://me:pw@prod/db',
  'postgresql+psycopg://me:pw@prod/db',
  'postgresql+asyncpg://me:pw@prod/db',
  'psql://me:pw@prod/db',
  'ecto://me:pw@prod/db',
  'r2dbc:postgresql://prod/db',
  'r2dbc:pool:postgresql://prod/db',
  'jdbc:postgresql:db',
  'jdbc:tc:postgresql:16:///db',
  'jdbc:otel:postgresql://prod/db',
  'prisma+postgres://prod/?api_key=x',
  'cockroachdb://prod/db',
  'pgx5://prod/db',
  ' postgres://prod/db ',
  '"postgres://prod/db"',
  "'postgres://prod/db'",
  'POSTGRES://prod/db',
  'host=prod dbname=db user=me',
  'dbname=db host = prod',
  'Host=prod;Database=db;Username=me;Password=x',
  'pgsql:host=prod;dbname=db',
  'dbi:Pg:dbname=db;host=prod',
  'service=prod',
])('%s leads nowhere', (value) => {
  const { X } = withSentinel({ X: value })
  expect(X).toContain('no-pg-branch-behind-this-variable.invalid')
  expect(X).not.toContain('prod')
})

test.each([
  'https://host/?user=1',
  'mysql://prod/db',
  'Server=prod;Database=db',
  'host',
  'ghost=1 user=2',
  'redis://prod',
  '',
])('%s is left alone', (value) => expect(withSentinel({ X: value }).X).toBe(value))
