import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { expandPreset, recogniseProject } from './recognise.ts'

const dirs: string[] = []
afterEach(() => dirs.splice(0).forEach((dir) => rmSync(dir, { recursive: true })))

function makeDir(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'pgb-preset-'))
  dirs.push(dir)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

const prismaFiles = { 'prisma/schema.prisma': '', 'prisma/migrations/1_init/migration.sql': 'SELECT 1;' }

// Its engine is downloaded from elsewhere: here it is tested up to the command line.
test('Prisma: the command, and what it depends on', () => {
  const dir = makeDir({ ...prismaFiles, 'node_modules/prisma/package.json': '{ "version": "6.4.1" }' })
  expect(recogniseProject(dir)?.seed).toEqual([
    {
      kind: 'command',
      line: 'prisma migrate deploy',
      inputs: expect.arrayContaining(['prisma.config.ts', 'prisma/migrations/migration_lock.toml']) as string[],
      migrations: ['prisma/migrations/*/migration.sql'],
      journal: ['prisma/schema.prisma', 'prisma/schema/**'],
      env: {},
      reads: [],
    },
  ])
})

test('a tool that is missing, or too old, is named with what installs it', () => {
  expect(() => recogniseProject(makeDir(prismaFiles))).toThrow(
    /package prisma is not installed there\n.*npm i -D prisma/,
  )
  const old = makeDir({ ...prismaFiles, 'node_modules/prisma/package.json': '{ "version": "4.16.2" }' })
  expect(() => recogniseProject(old)).toThrow(/is version 4\.16\.2, and 5\.0 or later is needed/)
})

test('two tools are not guessed between, and one that is asked for must be there', () => {
  const dir = makeDir({ ...prismaFiles, 'knexfile.js': '' })
  expect(() => recogniseProject(dir)).toThrow(/more than one kind: Prisma .* Knex/)
  expect(() => expandPreset({ kind: 'preset', name: 'drizzle' }, dir)).toThrow(
    /preset\('drizzle'\) finds nothing of Drizzle in .*\n.*drizzle\.config\.ts/,
  )
})

test('what a knexfile says of its folders is followed', () => {
  const dir = makeDir({
    'knexfile.js': `module.exports = { migrations: { tableName: 'x', directory: './db/changes/' }, seeds: { directory: 'db/rows' } }`,
    'db/rows/1.js': '',
    'node_modules/knex/package.json': '{ "version": "3.1.0" }',
  })
  expect(recogniseProject(dir)?.seed).toMatchObject([
    { line: 'knex --knexfile knexfile.js migrate:latest', inputs: ['knexfile.js'], migrations: ['db/changes/*'] },
    { line: 'knex --knexfile knexfile.js seed:run', inputs: ['knexfile.js', 'db/rows/**'] },
  ])
})
