import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts } from './files.ts'
import { describeMigrations, globFolders, readFolders } from './read-folders.ts'

const configs = [...listScripts('kysely.config'), ...listScripts('.config/kysely.config')]

/** Source: github.com/kysely-org/kysely-ctl. */
export const kysely: Preset = {
  name: 'kysely',
  title: 'Kysely',
  candidates: [...configs, 'seeds'],
  tool: { package: 'kysely-ctl', since: [0, 10] },
  recognise(dir) {
    const file = findFile(dir, configs)
    if (file === undefined) return undefined
    const migrations = readFolders(dir, { file, before: /\bmigrationFolder["']?\s*:\s*/ })
    const seeds = readFolders(dir, { file, before: /\bseedFolder["']?\s*:\s*/ })
    const globs = globFolders(migrations, { usual: 'migrations', names: '*' })
    const known = describeMigrations(migrations, { file, migrations: globs })
    const seed = [command('kysely migrate latest', known)]
    const seedFolder = seeds.kind === 'known' ? (seeds.folders[0] ?? 'seeds') : 'seeds'
    if (seeds.kind === 'unknown' || existsSync(join(dir, seedFolder))) {
      seed.push(command('kysely seed run', { inputs: [file, ...globFolders(seeds, { usual: 'seeds', names: '**' })] }))
    }
    return { evidence: file, seed }
  },
}
