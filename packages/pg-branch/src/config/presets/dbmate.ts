import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { findMarker } from './files.ts'

/** Source: github.com/amacneil/dbmate: it asks for TLS unless told otherwise. */
export const dbmate: Preset = {
  name: 'dbmate',
  title: 'dbmate',
  candidates: ['db/migrations'],
  tool: { package: 'dbmate', since: [2, 0] },
  recognise(dir) {
    if (findMarker(join(dir, 'db/migrations'), /^--\s*migrate:up/m) === undefined) return undefined
    const seed = command('dbmate --no-dump-schema migrate', {
      migrations: ['db/migrations/*.sql'],
      env: { PGSSLMODE: 'disable' },
    })
    return { evidence: 'db/migrations/*.sql with -- migrate:up', seed: [seed] }
  },
}
