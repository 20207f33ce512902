import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts, readFolder } from './files.ts'

const configs = listScripts('drizzle.config', ['json'])

/** Source: orm.drizzle.team, "drizzle-kit migrate". */
export const drizzle: Preset = {
  name: 'drizzle',
  title: 'Drizzle',
  candidates: configs,
  tool: { package: 'drizzle-kit', since: [0, 21] },
  recognise(dir) {
    const file = findFile(dir, configs)
    if (file === undefined) return undefined
    const folder = readFolder(dir, { file, pattern: /\bout["']?:\s*['"]([^'"]+)['"]/ }) ?? 'drizzle'
    const seed = command('drizzle-kit migrate', {
      inputs: [file],
      migrations: [`${folder}/*.sql`, `${folder}/*/migration.sql`],
      journal: [`${folder}/meta/**`, `${folder}/*/snapshot.json`],
    })
    return { evidence: file, seed: [seed] }
  },
}
