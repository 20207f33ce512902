import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { listScripts } from './files.ts'

const configs = listScripts('prisma.config')
const schemas = ['prisma/schema.prisma', 'prisma/schema']

/** Source: prisma.io/docs, "prisma migrate deploy". The schema changes whenever a migration is made of it. */
export const prisma: Preset = {
  name: 'prisma',
  title: 'Prisma',
  candidates: [...configs, ...schemas, 'prisma/migrations'],
  tool: { package: 'prisma', since: [5, 0] },
  recognise(dir) {
    const schema = schemas.find((path) => existsSync(join(dir, path)))
    if (schema === undefined || !existsSync(join(dir, 'prisma/migrations'))) return undefined
    const seed = command('prisma migrate deploy', {
      inputs: [...configs, 'prisma/migrations/migration_lock.toml'],
      migrations: ['prisma/migrations/*/migration.sql'],
      journal: ['prisma/schema.prisma', 'prisma/schema/**'],
    })
    return { evidence: schema, seed: [seed] }
  },
}
