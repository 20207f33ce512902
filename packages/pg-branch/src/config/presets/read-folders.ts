import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a tool's configuration says of folders. `unknown`: something that only running it would tell. */
export type Folders = { kind: 'known'; folders: string[] } | { kind: 'unknown' } | { kind: 'absent' }

/**
 * Reads folders out of the text of a configuration, which may write them as a text, a list, or put together from its
 * own directory.
 *
 * @param options.before what stands in front of the value, e.g. `/\bout\s*:\s*\/`.
 */
export function readFolders(dir: string, { file, before }: { file: string; before: RegExp }): Folders {
  const text = readFileSync(join(dir, file), 'utf8')
  const match = before.exec(text)
  if (match === null) return { kind: 'absent' }
  const folders = parseFolders(text.slice(match.index + match[0].length))
  return folders === undefined ? { kind: 'unknown' } : { kind: 'known', folders: folders.map(tidy) }
}

/** Where migrations or seeds may be whose folder is not known: the key covers all that could be one. */
export const anyScript = '**/*.{js,cjs,mjs,ts,cts,mts,sql}'

/** @returns globs of what is in the folders; of all scripts, where they are not known. */
export function globFolders(folders: Folders, { usual, names }: { usual: string; names: string }): string[] {
  if (folders.kind === 'unknown') return [anyScript]
  return (folders.kind === 'known' ? folders.folders : [usual]).map((folder) => `${folder}/${names}`)
}

/**
 * @param options.file the configuration that names the folders.
 * @returns what makes the key of the command that runs migrations: where they cannot be told from the rest, a new one
 * runs all of them anew.
 */
export function describeMigrations(
  folders: Folders,
  { file, migrations, journal }: { file: string; migrations: string[]; journal?: string[] },
): { inputs: string[]; migrations?: string[]; journal?: string[] } {
  if (folders.kind === 'unknown') return { inputs: [file, ...migrations] }
  return { inputs: [file], migrations, ...(journal === undefined ? {} : { journal }) }
}

function tidy(folder: string): string {
  return folder.replace(/^(\.?\/)+/, '').replace(/\/+$/, '') || '.'
}

const end = String.raw`\s*(?=[,;)}\]\n]|$)`
const literal = String.raw`'[^'\n]*'|"[^"\n]*"|` + '`[^`$\n]*`'
const here = String.raw`__dirname|import\.meta\.dirname|process\.cwd\(\)`

function parseFolders(value: string): string[] | undefined {
  const single = new RegExp(`^(${literal})${end}`).exec(value)?.[1]
  if (single !== undefined) return [unquote(single)]
  const list = /^\[([^\]]*)\]/.exec(value)?.[1]
  if (list !== undefined) {
    const items = list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
    const found = items.map((item) => parseFolders(item))
    return found.every((item) => item !== undefined) && items.length > 0 ? found.flat() : undefined
  }
  const joined = new RegExp(
    String.raw`^(?:path\.)?(?:posix\.)?(?:join|resolve)\(\s*(?:${here})((?:\s*,\s*(?:${literal}))*)\s*,?\s*\)`,
  ).exec(value)?.[1]
  if (joined !== undefined) return [(joined.match(new RegExp(literal, 'g')) ?? []).map(unquote).join('/')]
  const template = new RegExp('^`\\$\\{(?:' + here + ')\\}([^`$\n]*)`' + end).exec(value)?.[1]
  if (template !== undefined) return [template]
  const url = new RegExp(
    String.raw`^(?:fileURLToPath\(\s*)?new URL\(\s*(${literal})\s*,\s*import\.meta\.url\s*\)`,
  ).exec(value)?.[1]
  return url === undefined ? undefined : [unquote(url)]
}

function unquote(text: string): string {
  return text.slice(1, -1)
}
