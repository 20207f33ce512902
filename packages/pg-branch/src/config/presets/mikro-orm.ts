import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts, readFolder } from './files.ts'

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
    const own = readFolder(dir, { file, pattern: /\bmigrations\s*:\s*\{[^}]*\bpath(?:Ts)?\s*:\s*['"]([^'"]+)['"]/ })
    const folder = own ?? 'migrations'
    const seed = command(`mikro-orm migration:up --config ${file}`, {
      inputs: [file],
      migrations: [`${folder}/*.{ts,js,mts,mjs,cts,cjs}`],
      journal: [`${folder}/.snapshot*`],
    })
    return { evidence: file, seed: [seed] }
  },
}
