import { expect, test } from 'vitest'
import { findAddressForm } from './find-address.ts'
import { applySentinel } from './sentinel.ts'

test.each([
  'postgres://me:pw@db.example/prod',
  'postgresql+asyncpg://me:pw@db.example/prod',
  'pg://me:pw@db.example/prod',
  'asyncpg://me:pw@db.example/prod',
  'psycopg2://me:pw@db.example/prod',
  'postgresql_psycopg2://me:pw@db.example/prod',
  'prisma://accelerate.example/?api_key=x',
  'neon://db.example/prod',
  'jdbc:edb://db.example/prod',
  'jdbc:postgresql://db.example/prod',
  'host=db.example dbname=prod',
  'Server=db.example;Port=5432;Database=d;User Id=me;Password=x',
  'Driver={PostgreSQL Unicode};Server=db.example',
  'me:pw@db.example:5432/prod',
  '//db.example:5432/prod',
  '{"main":"postgres://me:pw@db.example/prod"}',
  'export DATABASE_URL=postgres://me:pw@db.example/prod',
])('%s is an address', (value) => {
  expect(findAddressForm(value)).toBeDefined()
  const env: NodeJS.ProcessEnv = { SOME: value }
  applySentinel(env, { dir: '/nowhere' })
  expect(env.SOME).not.toMatch(/db\.example|accelerate|pw/)
  expect(env.SOME).toContain('some.no-pg-branch-behind-this-variable.invalid')
})

test.each([
  'mysql://me:pw@db.example/prod',
  'Server=db.example,1433;Database=d;User Id=me',
  'Server=db.example;Port=3306;Database=d;User Id=me;Password=x',
  'neon:dark',
  'https://example.com:5432/path',
  'postgres',
  'host=example',
  'a/b:c',
])('%s is none', (value) => {
  expect(findAddressForm(value)).toBeUndefined()
})

test('JSON stays JSON', () => {
  const env: NodeJS.ProcessEnv = { DBS: '{"main":"postgres://me:pw@db.example/prod","n":1}' }
  applySentinel(env, { dir: '/nowhere' })
  expect(JSON.parse(env.DBS ?? '')).toMatchObject({ n: 1, main: expect.stringContaining('no-pg-branch') as string })
})
