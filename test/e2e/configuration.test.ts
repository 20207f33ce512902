import { describe, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'

const table = 'CREATE TABLE t AS SELECT 1 AS n'

test.each<[string, Record<string, string>, RegExp]>([
  [
    'a misspelt key',
    { 'pg-branch.config.ts': 'export default { sead: [] }' },
    /pg-branch\.config\.ts is not valid:\n {2}- `sead` is not an option; did you mean `seed`\?/,
  ],
  [
    'a misspelt inner key',
    { 'pg-branch.config.mjs': 'export default { postgres: { versoin: 16 } }' },
    /`postgres\.versoin` is not an option; did you mean `version`\?/,
  ],
  [
    'a wrong value',
    { 'pg-branch.config.js': 'export default { postgres: { version: 14 } }' },
    /`postgres\.version` must be \(15 \| 16 \| 17 \| 18\), found 14/,
  ],
  [
    'a wrong type',
    { 'pg-branch.config.json': '{ "pool": { "size": "many" } }' },
    /`pool\.size` must be number, found "many"/,
  ],
  [
    'a wrong step',
    { 'pg-branch.config.mjs': 'export default { seed: [42] }' },
    /`seed\[0\]` must be sql\(…\), dump\(…\), preset\(…\), command\(…\) or a function, found 42/,
  ],
  ['no object', { 'pg-branch.config.mjs': 'export default 3' }, /the whole value must be Object, found 3/],
  [
    'package.json',
    { 'package.json': '{ "pg-branch": { "databse": "x" } }' },
    /"pg-branch" in .*package\.json is not valid:\n {2}- `databse` is not an option; did you mean `database`\?/,
  ],
  ['broken JSON', { 'pg-branch.config.json': '{ "seed": ' }, /pg-branch\.config\.json is not JSON/],
  ['a file that throws', { 'pg-branch.config.ts': 'throw new Error("not today")' }, /could not be loaded: not today/],
  [
    'two files',
    { 'pg-branch.config.ts': 'export default {}', 'pg-branch.config.json': '{}' },
    /has more than one configuration: pg-branch\.config\.ts, pg-branch\.config\.json/,
  ],
  [
    'two migration tools',
    { 'knexfile.js': '', 'drizzle.config.ts': '' },
    /migrations of more than one kind: Drizzle \(drizzle\.config\.ts\), Knex \(knexfile\.js\)/,
  ],
  [
    'SQL in two places',
    { 'migrations/1.sql': '', 'db/schema.sql': '' },
    /SQL in more than one place: migrations\/\*\.sql, db\/schema\.sql/,
  ],
  [
    'SQL of a tool with up and down',
    { 'migrations/1.sql': '-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;' },
    /holds an "up" and a "down" part/,
  ],
  [
    'a mapping that is not text',
    { 'pg-branch.config.mjs': 'export default { env: ({ port }) => ({ NEXT_PORT: String(port + 1) }) }' },
    /`env` makes a variable NEXT_PORT that is not the branch's parts put into text/,
  ],
  [
    'an unknown setting',
    { 'pg-branch.config.mjs': "export default { postgres: { settings: { wrok_mem: '1MB' } } }" },
    /unrecognized configuration parameter "wrok_mem"/,
  ],
  [
    'a missing bin',
    { 'pg-branch.config.mjs': "export default { postgres: { bin: 'nowhere' } }" },
    /no PostgreSQL was found:\n {2}- .*nowhere: there is no such directory/,
  ],
  [
    'a missing volume',
    { 'pg-branch.config.mjs': "export default { volume: { path: '/nowhere' } }" },
    /no volume can be used:\n {2}- btrfs on \/nowhere: there is no such directory/,
  ],
])('%s is refused with the reason', async (_, files, message) => {
  await using _home = makeHome()
  await using project = await makeProject(files)
  await expect(leaseBranch(project.dir)).rejects.toThrow(message)
})

test('a configuration that exports nothing is refused, and not taken for an empty one', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'pg-branch.config.ts': `export const config = { database: 'x' }`,
    'migrations/1.sql': table,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(
    /pg-branch\.config\.ts exports no configuration\n.*export default/s,
  )
})

test('plain SQL beside the files of a tool that is not installed is named', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    'knexfile.mjs': `export default { migrations: { directory: './knex' } }`,
    'knex/1.js': '',
    'migrations/1.sql': table,
  })
  await expect(leaseBranch(project.dir)).rejects.toThrow(
    /the package knex is not installed there\n.*seed: \[sql\('migrations\/\*\.sql', '!migrations\/[^)]*'\)\]/s,
  )
})

describe('finding the configuration', () => {
  test('the nearest upwards, not beyond the repository', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { database: 'top' }`,
      'repo/.git/HEAD': '',
      'repo/packages/a/src/x.txt': '',
      'repo/packages/a/pg-branch.config.mjs': `export default { database: 'a' }`,
      'repo/packages/b/src/x.txt': '',
      'repo/packages/b/package.json': '{}',
      'repo/packages/b/migrations/1.sql': table,
    })
    const getDatabase = async (dir: string) => {
      await using branch = await leaseBranch(`${project.dir}/${dir}`)
      return branch.variables.PGDATABASE
    }
    expect(await getDatabase('repo/packages/a/src')).toBe('a')
    await using branch = await leaseBranch(`${project.dir}/repo/packages/b/src`)
    expect(await branch.query('SELECT n FROM t')).toEqual([{ n: 1 }])
    await project.write({ 'repo/pg-branch.config.json': '{ "database": "repo" }' })
    expect(await getDatabase('repo/packages/b/src')).toBe('repo')
    await project.write({ 'repo/packages/b/package.json': '{ "pg-branch": { "database": "b" } }' })
    expect(await getDatabase('repo/packages/b/src')).toBe('b')
  })
})
