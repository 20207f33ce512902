import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts } from './files.ts'
import { describeMigrations, globFolders, readFolders } from './read-folders.ts'

const configs = [...listScripts('mikro-orm.config'), ...listScripts('src/mikro-orm.config')]

/** Source: mikro-orm.io/docs/migrations. */
export const mikroOrm: Preset = {
  name: 'mikro-orm',
  title: 'MikroORM',
  candidates: configs,
  tool: { package: '@mikro-orm/cli', since: [6, 0] },
  recognise(dir) {
    const file = findFile(dir, configs)
    if (file === undefined) return undefined
    const own = readFolders(dir, { file, before: /\bmigrations["']?\s*:\s*\{[^}]*?\bpath(?:Ts)?["']?\s*:\s*/ })
    const migrations = globFolders(own, { usual: 'migrations', names: '*.{ts,js,mts,mjs,cts,cjs}' })
    const journal = globFolders(own, { usual: 'migrations', names: '.snapshot*' })
    const known = describeMigrations(own, { file, migrations, journal })
    const seed = command(`mikro-orm migration:up --config ${file}`, known)
    return { evidence: file, seed: [seed] }
  },
}
