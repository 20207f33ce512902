import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { escapePath } from 'tinyglobby'
import { PgBranchError } from '../../lib/errors.ts'
import type { SqlStep } from '../types.ts'
import type { Preset } from './contract.ts'
import { findFile, readText } from './files.ts'

const folders = ['migrations', 'db/migration', 'db/migrations', 'sql', 'flyway/sql', 'src/main/resources/db/migration']
const configs = ['flyway.toml', 'flyway.conf', 'conf/flyway.conf', 'conf/flyway.toml']

const versioned = /^V(\d[\w.]*?)__.*\.sql$/i

/**
 * Source: documentation.red-gate.com/flyway, "Migrations": `V1__name.sql` in the order of the versions, wherever below
 * the folder, then the repeatable `R__name.sql` in the order of their descriptions, each in one transaction unless it
 * has a statement that cannot be in one; before and after all of them the callbacks `beforeMigrate` and
 * `afterMigrate`. They are run as SQL; what only Flyway itself can do is refused by name.
 */
export const flyway: Preset = {
  name: 'flyway',
  title: 'Flyway-style SQL',
  candidates: [...folders, ...configs],
  recognise(dir) {
    const folder = folders.find((name) => listBelow(join(dir, name)).some((file) => versioned.test(basename(file))))
    if (folder === undefined) return undefined
    const files = listBelow(join(dir, folder))
    refuseUnknown(dir, { folder, files })
    const run = (names: string[]): SqlStep[] =>
      names.length === 0
        ? []
        : [
            {
              kind: 'sql',
              globs: names.map((name) => `${folder}/${escapePath(name)}`),
              transaction: 'unlessImpossible',
            },
          ]
    const pick = (pattern: RegExp) => files.filter((file) => pattern.test(basename(file)))
    const migrations = pick(versioned).toSorted((a, b) => compareVersions(readVersion(a), readVersion(b)))
    // What is named one by one is in order; the last glob sees what is added, which makes a new plan.
    const all: SqlStep = {
      kind: 'sql',
      globs: [...migrations.map((name) => `${folder}/${escapePath(name)}`), `${folder}/**/V*__*.[sS][qQ][lL]`],
      transaction: 'unlessImpossible',
    }
    const describe = (file: string) => basename(file).replace(/^R__/i, '')
    const seed = [
      ...run(pick(/^beforeMigrate(__.*)?\.sql$/i)),
      all,
      ...run(pick(/^R__.*\.sql$/i).toSorted((a, b) => (describe(a) < describe(b) ? -1 : 1))),
      ...run(pick(/^afterMigrate(__.*)?\.sql$/i)),
    ]
    return { evidence: `${folder}/V*__*.sql`, seed }
  },
}

function listBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.sql$/i.test(file) && !file.includes('node_modules'))
      .toSorted()
  } catch {
    return []
  }
}

function readVersion(file: string): number[] {
  const [, version = ''] = versioned.exec(basename(file)) ?? []
  return version.split(/[._]/).map(Number)
}

function compareVersions(a: number[], b: number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const order = (a[index] ?? 0) - (b[index] ?? 0)
    if (order !== 0) return order
  }
  return 0
}

/** Settings by which Flyway would run other files, or run them otherwise. */
const unknownSettings =
  /^\s*"?(?:flyway\.)?(defaultSchema|schemas|initSql|sqlMigrationPrefix|sqlMigrationSeparator|sqlMigrationSuffixes|repeatableSqlMigrationPrefix|callbacks|target|cherryPick)"?\s*=\s*\S/im

/** @throws PgBranchError `PGB_CONFIG_AMBIGUOUS` for what only Flyway itself can run. */
function refuseUnknown(dir: string, { folder, files }: { folder: string; files: string[] }): void {
  const refuse = (what: string) =>
    new PgBranchError(`${what}, which only Flyway itself can run`, {
      code: 'PGB_CONFIG_AMBIGUOUS',
      hint: "Run it from pg-branch.config.ts, for example: seed: [command('flyway migrate', { inputs: ['migrations/**'] })].",
    })
  const find = (pattern: RegExp) => files.find((file) => pattern.test(basename(file)))
  const baseline = find(/^B\d[\w.]*__/)
  if (baseline !== undefined) throw refuse(`${join(dir, folder, baseline)} is a baseline migration`)
  const callback = find(
    /^(before|after)(?!Migrate(__.*)?\.sql$)(?!Clean|Info|Validate|Baseline|Repair|Undo)[A-Z]\w*(__.*)?\.sql$/,
  )
  if (callback !== undefined) throw refuse(`${join(dir, folder, callback)} is a callback`)
  const config = findFile(dir, configs)
  const text = config === undefined ? '' : readText(join(dir, config))
  const [, setting] = unknownSettings.exec(text) ?? []
  if (config !== undefined && setting !== undefined) throw refuse(`${join(dir, config)} sets ${setting}`)
  if (/placeholderReplacement"?\s*=\s*"?false/i.test(text)) return
  const replaced = files.find((file) => /\$\{[\w:.-]+\}/.test(readText(join(dir, folder, file))))
  if (replaced !== undefined) throw refuse(`${join(dir, folder, replaced)} has placeholders`)
}
