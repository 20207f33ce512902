import { join } from 'node:path'
import { sql } from '../define.ts'
import type { Preset } from './contract.ts'
import { listSql } from './files.ts'

const folders = ['migrations', 'db/migration', 'db/migrations', 'sql', 'flyway/sql', 'src/main/resources/db/migration']

/**
 * Source: documentation.red-gate.com/flyway, "Migrations": `V1__name.sql` in the order of the versions
 * (which is the natural order of the names), then the repeatable `R__name.sql`. They are run as SQL, so
 * without placeholders, undo and callbacks.
 */
export const flyway: Preset = {
  name: 'flyway',
  title: 'Flyway-style SQL',
  candidates: folders,
  recognise(dir) {
    const folder = folders.find((name) => listSql(join(dir, name)).some((file) => /^V\d[\w.]*__/.test(file)))
    if (folder === undefined) return undefined
    const seed = [sql(`${folder}/V*__*.sql`)]
    if (listSql(join(dir, folder)).some((file) => file.startsWith('R__'))) seed.push(sql(`${folder}/R__*.sql`))
    return { evidence: `${folder}/V*__*.sql`, seed }
  },
}
