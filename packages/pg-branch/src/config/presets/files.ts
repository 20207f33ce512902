import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { escapePath } from 'tinyglobby'

const scriptExtensions = ['ts', 'js', 'mjs', 'cjs', 'mts', 'cts']

/** @returns every name that a configuration `stem` may have, e.g. `knexfile.ts`. */
export function listScripts(stem: string, extra: string[] = []): string[] {
  return [...scriptExtensions, ...extra].map((extension) => `${stem}.${extension}`)
}

/** @returns the first of `files` that is there. */
export function findFile(dir: string, files: readonly string[]): string | undefined {
  return files.find((file) => existsSync(join(dir, file)))
}

const sqlPattern = /\.sql$/i

/**
 * @returns whether a file undoes what another does: `1.down.sql`, `001.undo.users.sql`, and `1-down.sql` or `1_down.sql`
 * where the other one is there too. A name that only ends so is no sign: `003_cost_break_down.sql`.
 */
function isUndo(file: string, names: ReadonlySet<string>): boolean {
  if (/(^|\.)(down|undo)(\.[^.]*)?\.sql$/i.test(file)) return true
  const [, stem = '', mark = '', word = '', rest = ''] = /^(.*)([_-])(down|undo)(\.sql)$/i.exec(file) ?? []
  if (word === '') return false
  const others = word.toLowerCase() === 'down' ? ['up'] : ['do', 'up']
  return [`${stem}${rest}`, ...others.map((other) => `${stem}${mark}${other}${rest}`)].some((name) => names.has(name))
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => sqlPattern.test(file))
  } catch {
    return []
  }
}

/** @returns the SQL files of a folder, without those that undo what others do. */
export function listSql(folder: string): string[] {
  const names = listNames(folder)
  const all = new Set(names)
  return names.filter((file) => !isUndo(file, all))
}

/** @returns globs of what `listSql` lists. */
export function globSql(dir: string, folder: string): string[] {
  const names = listNames(join(dir, folder))
  const kept = new Set(listSql(join(dir, folder)))
  // Some tools take them in capitals, and none leaves them out without a word.
  const hasCapitals = names.some((file) => !file.endsWith('.sql'))
  const own = names
    .filter((file) => !kept.has(file) && !/\.(down|undo)\.sql$/.test(file))
    .map((file) => `!${folder}/${escapePath(file)}`)
  return [`${folder}/*.${hasCapitals ? '[sS][qQ][lL]' : 'sql'}`, `!${folder}/*.{down,undo}.sql`, ...own]
}

/** @returns the first SQL file of a folder in which `marker` stands. */
export function findMarker(folder: string, marker: RegExp): string | undefined {
  return listSql(folder).find((file) => marker.test(readText(join(folder, file))))
}

/** @returns the text of a file, in UTF-16 where its mark says so. */
export function readText(path: string): string {
  const bytes = readFileSync(path)
  const start = bytes.toString('hex', 0, 2)
  return new TextDecoder(start === 'fffe' ? 'utf-16le' : start === 'feff' ? 'utf-16be' : 'utf-8').decode(bytes)
}

/** @returns whether the project's package.json names a package. */
export function dependsOn(dir: string, name: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Record<string, object | undefined>
    return [manifest.dependencies, manifest.devDependencies].some((list) => list !== undefined && name in list)
  } catch {
    return false
  }
}
