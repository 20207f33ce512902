import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { command, dump, sql } from '../../packages/pg-branch/dist/config/define.js'
import type { StepContext } from '../../packages/pg-branch/dist/config/types.js'
import { stepKindNames } from '../../packages/pg-branch/dist/seed/registry.js'
import { describeStepKind, type StepCase } from './step-kind.ts'

const made = 'CREATE TABLE made AS SELECT 7 AS n;\n'
const wrong = 'SELECT 1 / 0;\n'
const asDump = (text: string) =>
  `--\n-- PostgreSQL database dump\n--\n\n${text}\n--\n-- PostgreSQL database dump complete\n--\n`
const asProgram = (text: string) => `const { Client } = require('pg')
const client = new Client(process.env.DATABASE_URL)
client.connect().then(() => client.query(${JSON.stringify(text)})).then(() => client.end(), (error) => {
  console.error(error.message)
  process.exit(1)
})`
const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const program = command('node fill.cjs', { inputs: ['fill.cjs'], env: { NODE_PATH: modules } })

const cases: Record<string, StepCase> = {
  sql: {
    files: { '1.sql': made },
    step: sql('*.sql'),
    changed: { file: '1.sql', text: made.replace('7', '8') },
    failing: { files: { '2.sql': wrong } },
  },
  dump: {
    files: { 'made.sql': asDump(made) },
    step: dump('made.sql'),
    changed: { file: 'made.sql', text: asDump(made.replace('7', '8')) },
    failing: { files: { 'made.sql': asDump(wrong) } },
  },
  command: {
    files: { 'fill.cjs': asProgram(made) },
    step: program,
    changed: { file: 'fill.cjs', text: asProgram(made.replace('7', '8')) },
    failing: { files: { 'fill.cjs': asProgram(wrong) } },
  },
  function: {
    files: {},
    step: async ({ client }: StepContext) => void (await client.query('CREATE TABLE made AS SELECT 7 AS n')),
    changed: { step: async ({ client }: StepContext) => void (await client.query('SELECT 8')) },
    failing: { step: async ({ client }: StepContext) => void (await client.query('SELECT 1 / 0')) },
  },
}

test('every kind has a case', () => {
  expect(Object.keys(cases).sort()).toEqual([...stepKindNames].sort())
})

for (const [name, item] of Object.entries(cases)) describeStepKind(name, item)
