import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { SqlStep } from '../types.ts'
import type { Preset } from './contract.ts'
import { listSql, readText } from './files.ts'

/**
 * Source: supabase.com/docs, "Local development", and pkg/migration of github.com/supabase/cli: migrations are plain
 * SQL by the name `<digits>_name.sql`, in the order of their names, all statements of a file in one transaction;
 * `roles.sql` runs before them, and after them what `sql_paths` of the configuration names, `seed.sql` if nothing.
 */
export const supabase: Preset = {
  name: 'supabase',
  title: 'Supabase',
  candidates: ['supabase/migrations', 'supabase/roles.sql', 'supabase/seed.sql', 'supabase/config.toml'],
  recognise(dir) {
    const isMigration = (file: string) => /^\d+_.*\.sql$/.test(file)
    if (!listSql(join(dir, 'supabase/migrations')).some(isMigration)) return undefined
    const names = ['roles.sql', 'migrations/[0-9]*_*.sql', ...readSeeds(join(dir, 'supabase/config.toml'))]
    const seed = names
      .filter((name) => /[*?[{]/.test(name) || existsSync(join(dir, 'supabase', name)))
      .map((name): SqlStep => ({ kind: 'sql', globs: [posix.join('supabase', name)], transaction: 'always' }))
    return { evidence: 'supabase/migrations/*.sql', seed }
  },
}

/** @returns the globs of `[db.seed]`, relative to the folder of the configuration. */
function readSeeds(config: string): string[] {
  const text = existsSync(config) ? readText(config) : ''
  const [, section = ''] = /^\[db\.seed\]([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text) ?? []
  if (/^\s*enabled\s*=\s*false/m.test(section)) return []
  const [, list] = /^\s*sql_paths\s*=\s*\[([^\]]*)\]/m.exec(section) ?? []
  if (list === undefined) return ['seed.sql']
  return (list.match(/'[^']*'|"[^"]*"/g) ?? []).map((item) => item.slice(1, -1))
}
