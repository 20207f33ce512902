import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts } from './files.ts'
import { describeMigrations, globFolders, readFolders, type Folders } from './read-folders.ts'

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
      readFolders(dir, { file, before: new RegExp(`\\b${key}["']?\\s*:\\s*\\{[^}]*?\\bdirectory["']?\\s*:\\s*`) })
    const [migrations, seeds] = [readOwn('migrations'), readOwn('seeds')]
    const globs = globFolders(migrations, { usual: 'migrations', names: '*' })
    const known = describeMigrations(migrations, { file, migrations: globs })
    // It looks for some of the names itself, and not for those of CommonJS in a package of modules.
    const run = (task: string) => `knex --knexfile ${file} ${task}`
    const seed = [command(run('migrate:latest'), known)]
    const hasSeeds = seeds.kind === 'unknown' || listSeeds(seeds).some((folder) => existsSync(join(dir, folder)))
    if (hasSeeds) {
      seed.push(command(run('seed:run'), { inputs: [file, ...globFolders(seeds, { usual: 'seeds', names: '**' })] }))
    }
    return { evidence: file, seed }
  },
}

function listSeeds(seeds: Folders): string[] {
  return seeds.kind === 'known' ? seeds.folders : ['seeds']
}
