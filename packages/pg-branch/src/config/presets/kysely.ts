import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile, listScripts, readFolder } from './files.ts'

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
    const folder = readFolder(dir, { file, pattern: /\bmigrationFolder["']?:\s*['"]([^'"]+)['"]/ }) ?? 'migrations'
    const seeds = readFolder(dir, { file, pattern: /\bseedFolder["']?:\s*['"]([^'"]+)['"]/ }) ?? 'seeds'
    const seed = [command('kysely migrate latest', { inputs: [file], migrations: [`${folder}/*`] })]
    if (existsSync(join(dir, seeds))) seed.push(command('kysely seed run', { inputs: [file, `${seeds}/**`] }))
    return { evidence: file, seed }
  },
}
