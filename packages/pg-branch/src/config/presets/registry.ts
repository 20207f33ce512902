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

/** All presets, in the order in which they are looked for: the configuration takes these names. */
export const presets = {
  drizzle: (): Preset => drizzle,
  prisma: (): Preset => prisma,
  knex: (): Preset => knex,
  'node-pg-migrate': (): Preset => nodePgMigrate,
  kysely: (): Preset => kysely,
  typeorm: (): Preset => typeorm,
  'mikro-orm': (): Preset => mikroOrm,
  sequelize: (): Preset => sequelize,
  'graphile-migrate': (): Preset => graphileMigrate,
  dbmate: (): Preset => dbmate,
  supabase: (): Preset => supabase,
  flyway: (): Preset => flyway,
}

export type PresetName = keyof typeof presets

export const allPresets: Preset[] = Object.values(presets).map((get) => get())

export const presetNames: PresetName[] = Object.keys(presets) as PresetName[]
