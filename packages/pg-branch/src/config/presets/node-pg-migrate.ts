import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { dependsOn } from './files.ts'

/** Source: salsita.github.io/node-pg-migrate, "CLI". */
export const nodePgMigrate: Preset = {
  name: 'node-pg-migrate',
  title: 'node-pg-migrate',
  candidates: ['migrations', 'package.json'],
  tool: { package: 'node-pg-migrate', since: [6, 0] },
  recognise(dir) {
    if (!dependsOn(dir, 'node-pg-migrate') || !existsSync(join(dir, 'migrations'))) return undefined
    return {
      evidence: 'migrations/ and the dependency node-pg-migrate',
      seed: [command('node-pg-migrate up', { migrations: ['migrations/*'] })],
    }
  },
}
