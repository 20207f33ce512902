import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from '../define.ts'
import { PgBranchError } from '../../lib/errors.ts'
import type { Recognised } from './contract.ts'
import { findMarker, globSql, listSql } from './files.ts'

/** Folders of plain SQL, looked at only where no tool is. */
const folders = ['migrations', 'db/migrations', 'sql/migrations', 'db/schema', 'schema', 'sql']
const files = ['schema.sql', 'db/schema.sql', 'db/structure.sql', 'sql/schema.sql']
const seeds = ['seed.sql', 'seeds.sql', 'db/seed.sql', 'db/seeds.sql', 'sql/seed.sql']

export const plainCandidates: readonly string[] = [...folders, ...files, ...seeds]

/** @throws PgBranchError `PGB_CONFIG_AMBIGUOUS` for SQL in two places, or that only its own tool can run. */
export function recognisePlainSql(dir: string): Recognised | undefined {
  const found = folders.filter((folder) => listSql(join(dir, folder)).length > 0)
  const sources = [...found.map((folder) => `${folder}/*.sql`), ...files.filter((file) => existsSync(join(dir, file)))]
  const [source] = sources
  if (source === undefined) return undefined
  if (sources.length > 1) {
    throw new PgBranchError(`${dir} has SQL in more than one place: ${sources.join(', ')}`, {
      code: 'PGB_CONFIG_AMBIGUOUS',
      hint: `Say which to run, in order, in pg-branch.config.ts: seed: [${sources.map((item) => `sql('${item}')`).join(', ')}].`,
    })
  }
  const [folder] = found
  if (folder !== undefined) refuseForeignMarkers(join(dir, folder))
  const own = seeds.filter((file) => existsSync(join(dir, file)))
  return {
    evidence: [source, ...own].join(', '),
    seed: [sql(...(folder === undefined ? [source] : globSql(dir, folder))), ...own.map((file) => sql(file))],
  }
}

/**
 * Lines that part what a file does from what undoes it: of dbmate, goose, sql-migrate, rambler, micrate,
 * node-pg-migrate and those like it, Liquibase, Play, MyBatis, tern. In most the line holds the word and nothing else
 * but decoration; a sentence that begins with it is a comment.
 */
const partingLine = new RegExp(
  [
    String.raw`^--\s*migrate:\s*down\b`,
    String.raw`^--\s*\+\s*(goose|migrate|micrate)\s+down\b`,
    String.raw`^(--|#|/\*)[\s\-=!@+#*/<>[(:.]*((migrate|migration|rambler|micrate|sql)\s*[:\s]\s*)?(downs?|undo|revert|rollback)(\s+(migration|script|part|section))?[\s\-=!#*/<>\]):.]*(\([^)]*\)\s*)?(\*/\s*)?$`,
    String.raw`^-{2,}\s*create above / drop below\s*-*\s*$`,
    String.raw`^--\s*liquibase formatted sql\b`,
  ].join('|'),
  'im',
)

/** Files with an "up" and a "down" half would create everything and drop it again. */
function refuseForeignMarkers(folder: string): void {
  const file = findMarker(folder, partingLine)
  if (file === undefined) return
  throw new PgBranchError(`${join(folder, file)} holds an "up" and a "down" part, which only its own tool can run`, {
    code: 'PGB_CONFIG_AMBIGUOUS',
    hint: "Run that tool from pg-branch.config.ts, for example: seed: [command('dbmate up', { inputs: ['migrations/**'] })].",
  })
}
