import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findFile } from './files.ts'

const configs = ['.gmrc', '.gmrc.js', '.gmrc.cjs']

/** Source: github.com/graphile/migrate: `migrate` runs what is committed, and not `current.sql`. */
export const graphileMigrate: Preset = {
  name: 'graphile-migrate',
  title: 'graphile-migrate',
  candidates: configs,
  tool: { package: 'graphile-migrate', since: [1, 0] },
  recognise(dir) {
    const file = findFile(dir, configs)
    if (file === undefined) return undefined
    const seed = command('graphile-migrate migrate', {
      inputs: [file, 'migrations/*.sql', '!migrations/current.sql'],
      migrations: ['migrations/committed/*.sql'],
    })
    return { evidence: file, seed: [seed] }
  },
}
