import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PgBranchError } from '../lib/errors.ts'
import { command, sql } from './define.ts'
import type { SeedStep } from './types.ts'

/** One way in which projects keep their migrations. */
export interface Layout {
  name: string
  /** What was found, as paths relative to the project. */
  evidence: string
  seed: SeedStep[]
}

type Recognise = (dir: string) => Layout | undefined

const scriptExtensions = ['ts', 'js', 'mjs', 'cjs', 'mts', 'json']

/** Tools that keep a record of what they applied: each is run by its own command. */
const tools: Recognise[] = [
  (dir) => {
    const file = findFile(dir, 'drizzle.config')
    if (file === undefined) return undefined
    const out = /\bout:\s*['"]([^'"]+)['"]/.exec(readFileSync(join(dir, file), 'utf8'))?.[1] ?? 'drizzle'
    const folder = out.replace(/^\.\//, '').replace(/\/$/, '')
    return {
      name: 'Drizzle',
      evidence: file,
      seed: [command('drizzle-kit migrate', { inputs: [file, `${folder}/**`] })],
    }
  },
  (dir) =>
    existsSync(join(dir, 'prisma/schema.prisma')) && existsSync(join(dir, 'prisma/migrations'))
      ? {
          name: 'Prisma',
          evidence: 'prisma/schema.prisma',
          seed: [command('prisma migrate deploy', { inputs: ['prisma/schema.prisma', 'prisma/migrations/**'] })],
        }
      : undefined,
  (dir) => {
    const file = findFile(dir, 'knexfile')
    if (file === undefined) return undefined
    const seeds = existsSync(join(dir, 'seeds')) ? [command('knex seed:run', { inputs: [file, 'seeds/**'] })] : []
    return {
      name: 'Knex',
      evidence: file,
      seed: [command('knex migrate:latest', { inputs: [file, 'migrations/**'] }), ...seeds],
    }
  },
  (dir) =>
    dependsOn(dir, 'node-pg-migrate') && existsSync(join(dir, 'migrations'))
      ? {
          name: 'node-pg-migrate',
          evidence: 'migrations/ and the dependency node-pg-migrate',
          seed: [command('node-pg-migrate up', { inputs: ['migrations/**'] })],
        }
      : undefined,
  (dir) =>
    findMarker(join(dir, 'db/migrations'), /^--\s*migrate:up/m) === undefined
      ? undefined
      : {
          name: 'dbmate',
          evidence: 'db/migrations/*.sql with -- migrate:up',
          seed: [command('dbmate --no-dump-schema up', { inputs: ['db/migrations/*.sql'] })],
        },
  (dir) =>
    hasSql(join(dir, 'supabase/migrations'))
      ? {
          name: 'Supabase',
          evidence: 'supabase/migrations/*.sql',
          seed: [
            sql('supabase/migrations/*.sql'),
            ...(existsSync(join(dir, 'supabase/seed.sql')) ? [sql('supabase/seed.sql')] : []),
          ],
        }
      : undefined,
]

/** Folders of plain SQL, looked at only where no tool is. */
const plainFolders = ['migrations', 'db/migrations', 'sql/migrations', 'db/schema', 'schema', 'sql']
const plainFiles = ['schema.sql', 'db/schema.sql', 'db/structure.sql', 'sql/schema.sql']
const plainSeeds = ['seed.sql', 'seeds.sql', 'db/seed.sql', 'db/seeds.sql', 'sql/seed.sql']

export const layoutNames: string[] = ['Drizzle', 'Prisma', 'Knex', 'node-pg-migrate', 'dbmate', 'Supabase']

/** Every path that `recogniseLayout` looks at below its directory. */
export const layoutCandidates: string[] = [
  ...scriptExtensions.flatMap((ext) => [`drizzle.config.${ext}`, `knexfile.${ext}`]),
  'prisma/schema.prisma',
  'prisma/migrations',
  'supabase/migrations',
  'supabase/seed.sql',
  'seeds',
  'package.json',
  ...plainFolders,
  ...plainFiles,
  ...plainSeeds,
]

/**
 * Recognises how the project in `dir` keeps its migrations.
 *
 * @returns undefined if nothing known is there.
 * @throws PgBranchError `PGB_CONFIG_AMBIGUOUS` rather than guess: two tools, or SQL that belongs to a tool
 * whose files cannot be run as they are.
 */
export function recogniseLayout(dir: string): Layout | undefined {
  const found = tools.map((recognise) => recognise(dir)).filter((layout) => layout !== undefined)
  if (found.length > 1) {
    throw new PgBranchError(
      `${dir} has migrations of more than one kind: ${found.map(({ name, evidence }) => `${name} (${evidence})`).join(', ')}`,
      { code: 'PGB_CONFIG_AMBIGUOUS', hint: 'Say which to run with `seed` in pg-branch.config.ts.' },
    )
  }
  return found[0] ?? recognisePlainSql(dir)
}

function recognisePlainSql(dir: string): Layout | undefined {
  const folders = plainFolders.filter((folder) => hasSql(join(dir, folder)))
  const files = plainFiles.filter((file) => existsSync(join(dir, file)))
  const sources = [...folders.map((folder) => `${folder}/*.sql`), ...files]
  const [source] = sources
  if (source === undefined) return undefined
  if (sources.length > 1) {
    throw new PgBranchError(`${dir} has SQL in more than one place: ${sources.join(', ')}`, {
      code: 'PGB_CONFIG_AMBIGUOUS',
      hint: `Say which to run, in order, in pg-branch.config.ts: seed: [${sources.map((item) => `sql('${item}')`).join(', ')}].`,
    })
  }
  const folder = folders[0]
  if (folder !== undefined) refuseForeignMarkers(join(dir, folder))
  const seeds = plainSeeds.filter((file) => existsSync(join(dir, file)))
  const excludes = folder === undefined ? [] : [`!${folder}/*.down.sql`]
  return {
    name: 'plain SQL',
    evidence: [source, ...seeds].join(', '),
    seed: [sql(source, ...excludes), ...seeds.map((file) => sql(file))],
  }
}

/** Files with an "up" and a "down" half would create everything and drop it again. */
function refuseForeignMarkers(folder: string): void {
  const file = findMarker(folder, /^--\s*(migrate:down|\+goose down|down migration|rollback)\b/im)
  if (file === undefined) return
  throw new PgBranchError(`${join(folder, file)} holds an "up" and a "down" part, which only its own tool can run`, {
    code: 'PGB_CONFIG_AMBIGUOUS',
    hint: "Run that tool from pg-branch.config.ts, for example: seed: [command('dbmate up', { inputs: ['migrations/**'] })].",
  })
}

function findFile(dir: string, stem: string): string | undefined {
  return scriptExtensions.map((ext) => `${stem}.${ext}`).find((file) => existsSync(join(dir, file)))
}

function listSql(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.sql') && !file.endsWith('.down.sql'))
  } catch {
    return []
  }
}

function hasSql(folder: string): boolean {
  return listSql(folder).length > 0
}

function findMarker(folder: string, marker: RegExp): string | undefined {
  return listSql(folder).find((file) => marker.test(readFileSync(join(folder, file), 'utf8')))
}

function dependsOn(dir: string, name: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Record<string, object | undefined>
    return [manifest.dependencies, manifest.devDependencies].some((list) => list !== undefined && name in list)
  } catch {
    return false
  }
}
