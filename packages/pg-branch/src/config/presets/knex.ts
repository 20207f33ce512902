import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts, readFolder } from './files.ts'

const configs = listScripts('knexfile')

/** Source: knexjs.org/guide/migrations. */
export const knex: Preset = {
  name: 'knex',
  title: 'Knex',
  candidates: [...configs, 'seeds'],
  tool: { package: 'knex', since: [1, 0] },
  recognise(dir) {
    const file = findFile(dir, configs)
    if (file === undefined) return undefined
    const readOwn = (key: string) =>
      readFolder(dir, { file, pattern: new RegExp(`\\b${key}\\s*:\\s*\\{[^}]*\\bdirectory\\s*:\\s*['"]([^'"]+)['"]`) })
    const migrations = readOwn('migrations') ?? 'migrations'
    const seeds = readOwn('seeds') ?? 'seeds'
    const seed = [command('knex migrate:latest', { inputs: [file], migrations: [`${migrations}/*`] })]
    if (existsSync(join(dir, seeds))) seed.push(command('knex seed:run', { inputs: [file, `${seeds}/**`] }))
    return { evidence: file, seed }
  },
}
