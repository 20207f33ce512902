import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts } from './files.ts'
import { anyScript, readFolders } from './read-folders.ts'

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
    const out = readFolders(dir, { file, before: /\bout["']?\s*:\s*/ })
    if (out.kind === 'unknown') {
      return { evidence: file, seed: [command('drizzle-kit migrate', { inputs: [file, anyScript] })] }
    }
    const folder = out.kind === 'known' ? (out.folders[0] ?? 'drizzle') : 'drizzle'
    const seed = command('drizzle-kit migrate', {
      inputs: [file],
      migrations: [`${folder}/*.sql`, `${folder}/*/migration.sql`],
      journal: [`${folder}/meta/**`, `${folder}/*/snapshot.json`],
    })
    return { evidence: file, seed: [seed] }
  },
}
