import type { PresetName } from '../types.ts'
import type { Preset } from './contract.ts'
import { dbmate } from './dbmate.ts'
import { drizzle } from './drizzle.ts'
import { flyway } from './flyway.ts'
import { graphileMigrate } from './graphile-migrate.ts'
import { knex } from './knex.ts'
import { kysely } from './kysely.ts'
import { mikroOrm } from './mikro-orm.ts'
import { nodePgMigrate } from './node-pg-migrate.ts'
import { prisma } from './prisma.ts'
import { sequelize } from './sequelize.ts'
import { supabase } from './supabase.ts'
import { typeorm } from './typeorm.ts'

export const presets: Record<PresetName, Preset> = {
  drizzle,
  prisma,
  knex,
  'node-pg-migrate': nodePgMigrate,
  kysely,
  typeorm,
  'mikro-orm': mikroOrm,
  sequelize,
  'graphile-migrate': graphileMigrate,
  dbmate,
  supabase,
  flyway,
}
