import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { globSql, listSql } from './files.ts'
import { flyway } from './flyway.ts'
import { recognisePlainSql } from './plain-sql.ts'
import { readFolders } from './read-folders.ts'
import { supabase } from './supabase.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true })
})

function makeDir(files: Record<string, string | Buffer>): string {
  const dir = mkdtempSync(join(tmpdir(), 'pgb-presets-'))
  made.push(dir)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

test('a file that undoes has a partner, or a word of its own in its name', () => {
  const names = [
    '1.sql',
    '1_down.sql',
    '2-up.sql',
    '2-down.sql',
    '3_break_down.sql',
    '4.down.sql',
    '5.undo.users.sql',
    'DOWN.sql',
    '6_a.do.sql',
  ]
  const dir = makeDir(Object.fromEntries(names.map((name) => [name, ''])))
  expect(listSql(dir).toSorted()).toEqual(['1.sql', '2-up.sql', '3_break_down.sql', '6_a.do.sql'])
  expect(globSql(dir, '.')[0]).toBe('./*.sql')
})

const down = [
  '-- migrate:down',
  '-- migrate:down transaction:false',
  '-- +goose Down',
  '-- +migrate Down',
  '-- +micrate Down',
  '-- rambler down',
  '--DOWN--',
  '-- migrate: down',
  '-- @DOWN',
  '-- DOWN SCRIPT',
  '-- Undo',
  '/* DOWN */',
  '-- revert',
  '-- !DOWN',
  '-- [down]',
  '-- migration:down',
  '-- Migration Down',
  '-- Down Migration',
  '-- Down (rollback)',
  '--- down',
  '-- ===== DOWN =====',
  '-- //@UNDO',
  '# --- !Downs',
  '-- Down:',
  '---- create above / drop below ----',
  '--liquibase formatted sql',
]
test.each(down)('%s parts a file', (line) => {
  const dir = makeDir({ 'migrations/1.sql': `CREATE TABLE t (a int);\n${line}\nDROP TABLE t;\n` })
  expect(() => recognisePlainSql(dir)).toThrow(/holds an "up" and a "down" part/)
})

test('also in UTF-16', () => {
  const text = Buffer.from('\uFEFFCREATE TABLE t (a int);\n-- Down\nDROP TABLE t;\n', 'utf16le')
  expect(() => recognisePlainSql(makeDir({ 'migrations/1.sql': text }))).toThrow(/holds an "up" and a "down" part/)
})

test.each([
  '-- Rollback of orders is done by the trigger below',
  '-- down payments are kept here',
  '-- undo log of the editor',
  'SELECT 1; -- down',
  '-- downtime',
])('%s parts nothing', (line) => {
  expect(recognisePlainSql(makeDir({ 'migrations/1.sql': `${line}\nSELECT 1;` }))?.evidence).toBe('migrations/*.sql')
})

test('Flyway: in the order of versions, wherever they are', () => {
  const names = [
    'V1__a.sql',
    'V1_2__c.sql',
    'V1.1__b.sql',
    'V10__e.sql',
    '2024/V2__d.sql',
    'R__b.sql',
    'R__a.sql',
    'afterMigrate.SQL',
    'beforeClean.sql',
  ]
  const dir = makeDir(Object.fromEntries(names.map((name) => [`migrations/${name}`, 'SELECT 1;'])))
  const globs = flyway
    .recognise(dir)
    ?.seed.map((step) => ('globs' in step ? step.globs.map((glob) => glob.replace('migrations/', '')) : []))
  expect(globs).toEqual([
    ['V1__a.sql', 'V1.1__b.sql', 'V1_2__c.sql', '2024/V2__d.sql', 'V10__e.sql', '**/V*__*.[sS][qQ][lL]'],
    ['R__a.sql', 'R__b.sql'],
    ['afterMigrate.SQL'],
  ])
})

test.each<[string, Record<string, string>]>([
  ['placeholders', { 'migrations/V2__b.sql': "INSERT INTO t VALUES ('${env}');" }],
  ['sets defaultSchema', { 'flyway.conf': 'flyway.defaultSchema=app\n' }],
  ['sets schemas', { 'flyway.toml': '[flyway]\nschemas = ["app"]\n' }],
  ['is a callback', { 'migrations/afterEachMigrate.sql': 'SELECT 1;' }],
  ['is a baseline migration', { 'migrations/B1__x.sql': 'SELECT 1;' }],
])('Flyway: what only it can do is refused: %s', (what, files) => {
  const dir = makeDir({ 'migrations/V1__a.sql': 'SELECT 1;', ...files })
  expect(() => flyway.recognise(dir)).toThrow(new RegExp(`${what}.*which only Flyway itself can run`))
})

test('Supabase: migrations by their names, and the seeds of its configuration', () => {
  const dir = makeDir({
    'supabase/migrations/20240101000000_init.sql': '',
    'supabase/migrations/helper.sql': '',
    'supabase/config.toml': "[db.seed]\nenabled = true\nsql_paths = ['./seeds/*.sql', 'more.sql']\n[auth]\n",
    'supabase/more.sql': '',
  })
  const globs = supabase.recognise(dir)?.seed.map((step) => ('globs' in step ? step.globs : []))
  expect(globs).toEqual([['supabase/migrations/[0-9]*_*.sql'], ['supabase/seeds/*.sql'], ['supabase/more.sql']])
})

test.each([
  ["directory: './db/m',", { kind: 'known', folders: ['db/m'] }],
  ["directory: ['a', './b/'] }", { kind: 'known', folders: ['a', 'b'] }],
  ["directory: path.join(__dirname, 'db', 'm'),", { kind: 'known', folders: ['db/m'] }],
  ['directory: `${__dirname}/db/m`,', { kind: 'known', folders: ['db/m'] }],
  ["directory: fileURLToPath(new URL('./db/m', import.meta.url)),", { kind: 'known', folders: ['db/m'] }],
  ['directory: config.migrations,', { kind: 'unknown' }],
  ["directory: 'a' + suffix,", { kind: 'unknown' }],
  ['nothing: 1', { kind: 'absent' }],
])('a folder that a configuration writes as %s', (text, expected) => {
  const dir = makeDir({ 'config.js': `module.exports = { ${text}\n` })
  expect(readFolders(dir, { file: 'config.js', before: /\bdirectory\s*:\s*/ })).toEqual(expected)
})
