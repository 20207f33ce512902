import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { findBuilds, leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'

/** A small but real schema: a foreign key, an index, a default, and rows. */
const first = `CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE posts (id serial PRIMARY KEY, author_id int NOT NULL REFERENCES authors, title text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX posts_author ON posts (author_id);
INSERT INTO authors (name) VALUES ('Ada');
INSERT INTO posts (author_id, title) VALUES (1, 'Notes');`
const second = `ALTER TABLE posts ADD COLUMN draft boolean NOT NULL DEFAULT false;`
const third = `CREATE TABLE tags (name text PRIMARY KEY);`

const asKnex = (text: string) =>
  `export const up = (knex) => knex.raw(${JSON.stringify(text)})\nexport const down = () => {}\n`
const asKysely = (text: string) => `import { sql } from 'kysely'
export const up = async (db) => {
  for (const text of ${JSON.stringify(text.split(';').filter((part) => part.trim() !== ''))}) await sql.raw(text).execute(db)
}\n`
const asPgMigrate = (text: string) => `export const up = (pgm) => pgm.sql(${JSON.stringify(text)})\n`
const asTypeorm = (name: string, text: string) =>
  `module.exports = { ${name}: class ${name} { name = '${name}'; up(runner) { return runner.query(${JSON.stringify(text)}) } down() {} } }\n`
const asMikro = (name: string, text: string) =>
  `const { Migration } = require('@mikro-orm/migrations')\nexports.${name} = class ${name} extends Migration { up() { this.addSql(${JSON.stringify(text)}) } }\n`
const asSequelize = (text: string) =>
  `module.exports = { up: ({ sequelize }) => sequelize.query(${JSON.stringify(text)}), down: () => {} }\n`
const journal = (tags: string[]) =>
  JSON.stringify({
    version: '7',
    dialect: 'postgresql',
    entries: tags.map((tag, idx) => ({ idx, version: '7', when: 1_700_000_000_000 + idx, tag, breakpoints: true })),
  })

interface Case {
  title: string
  tools: string[]
  files: Record<string, string>
  /** Written afterwards: one migration more. */
  added: Record<string, string>
}

const cases: Case[] = [
  {
    title: 'Drizzle',
    tools: ['drizzle-kit', 'drizzle-orm'],
    files: {
      'drizzle.config.ts': `export default { dialect: 'postgresql', out: './db/drizzle', dbCredentials: { url: process.env.DATABASE_URL! } }`,
      'db/drizzle/0000_first.sql': first,
      'db/drizzle/0001_second.sql': second,
      'db/drizzle/meta/_journal.json': journal(['0000_first', '0001_second']),
    },
    added: {
      'db/drizzle/0002_third.sql': third,
      'db/drizzle/meta/_journal.json': journal(['0000_first', '0001_second', '0002_third']),
    },
  },
  {
    title: 'Knex',
    tools: ['knex'],
    files: {
      'knexfile.mjs': `export default { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './db/changes', loadExtensions: ['.mjs'] } }`,
      'db/changes/1_first.mjs': asKnex(first),
      'db/changes/2_second.mjs': asKnex(second),
    },
    added: { 'db/changes/3_third.mjs': asKnex(third) },
  },
  {
    title: 'node-pg-migrate',
    tools: ['node-pg-migrate'],
    files: {
      'package.json': JSON.stringify({ name: 'user', type: 'module', devDependencies: { 'node-pg-migrate': '*' } }),
      'migrations/1700000000001_first.js': asPgMigrate(first),
      'migrations/1700000000002_second.js': asPgMigrate(second),
    },
    added: { 'migrations/1700000000003_third.js': asPgMigrate(third) },
  },
  {
    title: 'Kysely',
    tools: ['kysely', 'kysely-ctl'],
    files: {
      'kysely.config.ts': `import { PostgresDialect } from 'kysely'
import pg from 'pg'
import { defineConfig } from 'kysely-ctl'
export default defineConfig({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) }), migrations: { migrationFolder: 'migrations' } })`,
      'migrations/1_first.ts': asKysely(first),
      'migrations/2_second.ts': asKysely(second),
    },
    added: { 'migrations/3_third.ts': asKysely(third) },
  },
  {
    title: 'TypeORM',
    tools: ['typeorm'],
    files: {
      'package.json': JSON.stringify({ name: 'user', dependencies: { typeorm: '*' } }),
      'data-source.js': `const { DataSource } = require('typeorm')
module.exports = new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, migrations: ['migrations/*.js'] })`,
      'migrations/1700000000001-first.js': asTypeorm('First1700000000001', first),
      'migrations/1700000000002-second.js': asTypeorm('Second1700000000002', second),
    },
    added: { 'migrations/1700000000003-third.js': asTypeorm('Third1700000000003', third) },
  },
  {
    title: 'MikroORM',
    tools: ['@mikro-orm/cli', '@mikro-orm/core', '@mikro-orm/migrations', '@mikro-orm/postgresql'],
    files: {
      'package.json': JSON.stringify({ name: 'user', devDependencies: { '@mikro-orm/cli': '*' } }),
      'mikro-orm.config.js': `const { defineConfig, EntitySchema } = require('@mikro-orm/postgresql')
const { Migrator } = require('@mikro-orm/migrations')
const Author = new EntitySchema({ name: 'Author', tableName: 'authors', properties: { id: { type: 'number', primary: true }, name: { type: 'string' } } })
module.exports = defineConfig({ clientUrl: process.env.DATABASE_URL, entities: [Author], extensions: [Migrator], migrations: { path: 'migrations', snapshot: false } })`,
      'migrations/Migration20240101000001.js': asMikro('Migration20240101000001', first),
      'migrations/Migration20240101000002.js': asMikro('Migration20240101000002', second),
    },
    added: { 'migrations/Migration20240101000003.js': asMikro('Migration20240101000003', third) },
  },
  {
    title: 'Sequelize',
    tools: ['sequelize', 'sequelize-cli'],
    files: {
      'package.json': JSON.stringify({ name: 'user', devDependencies: { 'sequelize-cli': '*' } }),
      // As `sequelize-cli init` writes it: an address of its own, which must not be used.
      'config/config.json': JSON.stringify({ development: { host: '127.0.0.1', port: 1, dialect: 'postgres' } }),
      'migrations/1-first.js': asSequelize(first),
      'migrations/2-second.js': asSequelize(second),
    },
    added: { 'migrations/3-third.js': asSequelize(third) },
  },
  {
    title: 'graphile-migrate',
    tools: ['graphile-migrate'],
    files: {
      '.gmrc': '{ "pgSettings": {} }',
      ...graphileFiles([first, second]),
    },
    added: graphileFiles([first, second, third]),
  },
  {
    title: 'dbmate',
    tools: ['dbmate'],
    files: {
      'db/migrations/001_first.sql': `-- migrate:up\n${first}\n-- migrate:down\nDROP TABLE posts, authors;\n`,
      'db/migrations/002_second.sql': `-- migrate:up\n${second}\n-- migrate:down\nALTER TABLE posts DROP COLUMN draft;\n`,
    },
    added: { 'db/migrations/003_third.sql': `-- migrate:up\n${third}\n-- migrate:down\nDROP TABLE tags;\n` },
  },
  {
    title: 'Supabase',
    tools: [],
    files: { 'supabase/migrations/001_first.sql': first, 'supabase/migrations/002_second.sql': second },
    added: { 'supabase/migrations/003_third.sql': third },
  },
  {
    title: 'Flyway-style SQL',
    tools: [],
    files: {
      'db/migration/V2__second.sql': second,
      'db/migration/V1__first.sql': first,
      'db/migration/R__view.sql': 'CREATE OR REPLACE VIEW titles AS SELECT title, draft FROM posts;',
    },
    added: { 'db/migration/V10__third.sql': third },
  },
]

/** Committed migrations carry the hash of the one before, and of their own text. */
function graphileFiles(texts: string[]): Record<string, string> {
  let previous: string | null = null
  return Object.fromEntries(
    texts.map((text, index) => {
      const body = `${text.trim()}\n`
      const hash: string = createGraphileHash(body, previous)
      const header = `--! Previous: ${previous ?? '-'}\n--! Hash: ${hash}\n\n`
      previous = hash
      return [`migrations/committed/${String(index + 1).padStart(6, '0')}.sql`, `${header}${body}`]
    }),
  )
}

/** Source: graphile-migrate, `calculateHash`. */
function createGraphileHash(text: string, previous: string | null): string {
  const all = `${`${previous ?? ''}\n${text.trim()}`.trim()}\n`
  return `sha1:${createHash('sha1').update(all).digest('hex')}`
}

describe('migration tools, recognised and run by their own command', () => {
  test.each(cases)('$title', async ({ title, tools, files, added }) => {
    await using _home = makeHome()
    await using project = await makeProject(files, { tools })
    {
      await using branch = await leaseBranch(project.dir)
      expect(branch.notices).toContainEqual(expect.stringContaining(`recognised ${title} in `) as string)
      expect(
        await branch.query('SELECT a.name, p.title, p.draft FROM posts p JOIN authors a ON a.id = p.author_id'),
      ).toEqual([{ name: 'Ada', title: 'Notes', draft: false }])
    }
    await project.write(added)
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS tags FROM tags')).toEqual([{ tags: 0 }])
    const [build] = findBuilds(branch.progress)
    // The two that had run are in the state that the third was added to.
    expect(build).toMatchObject({ filesReused: 2 })
  })
})
