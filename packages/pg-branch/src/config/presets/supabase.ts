import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from '../define.ts'
import type { Preset } from './contract.ts'
import { listSql } from './files.ts'

/** Source: supabase.com/docs, "Local development": migrations are plain SQL, in the order of their names. */
export const supabase: Preset = {
  name: 'supabase',
  title: 'Supabase',
  candidates: ['supabase/migrations', 'supabase/seed.sql'],
  recognise(dir) {
    if (listSql(join(dir, 'supabase/migrations')).length === 0) return undefined
    const seed = [sql('supabase/migrations/*.sql')]
    if (existsSync(join(dir, 'supabase/seed.sql'))) seed.push(sql('supabase/seed.sql'))
    return { evidence: 'supabase/migrations/*.sql', seed }
  },
}
