import * as fs from 'node:fs'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { glob, type GlobOptions } from 'tinyglobby'

const ignored = ['**/node_modules/**', '**/.git/**']
const options = { dot: true, expandDirectories: false, absolute: true, ignore: ignored }

/**
 * tinyglobby takes a backslash in the working directory for a separator of Windows: outside of Windows another
 * character stands for it, and is changed back where files are read.
 */
const standIn = '\uE05C'
const encode = (path: string) => (process.platform === 'win32' ? path : path.replaceAll('\\', standIn))
const decode = (path: string) => path.replaceAll(standIn, '\\')

/** The functions of `node:fs` that tinyglobby calls, each with a path in front. */
const decodingFs = Object.fromEntries(
  (['readdir', 'readdirSync', 'realpath', 'realpathSync', 'stat', 'statSync'] as const).map((name) => {
    const call = fs[name] as (path: string, ...rest: unknown[]) => unknown
    return [name, (path: string, ...rest: unknown[]) => call(decode(path), ...rest)]
  }),
)

/** @returns absolute paths of what matches. */
async function findAll(pattern: string, { cwd, ...rest }: GlobOptions & { cwd: string }): Promise<string[]> {
  const encoded = encode(cwd)
  const found = await glob(pattern, {
    ...options,
    ...rest,
    cwd: encoded,
    ...(encoded === cwd ? {} : { fs: decodingFs }),
  })
  return found.map(decode)
}

/** By segment of the path, digits as numbers: `2.sql` before `10.sql`, on every machine the same. */
const collator = new Intl.Collator('en', { numeric: true })

export function compareNaturally(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')]
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const order = collator.compare(left[index] ?? '', right[index] ?? '')
    if (order !== 0) return order
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0)
}

/**
 * Expands globs in the order given; the files of one glob in natural order, each file once.
 * A glob that starts with `!` excludes from all.
 */
export async function expandGlobs(globs: string[], cwd: string): Promise<string[]> {
  const excluded = globs.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1))
  const files = new Set<string>()
  for (const pattern of globs) {
    if (pattern.startsWith('!')) continue
    const found = await findAll(pattern, { cwd, ignore: [...ignored, ...excluded], onlyFiles: true })
    for (const file of found.sort(compareNaturally)) files.add(file)
  }
  return [...files]
}

/** @returns the directories in which a file that appears could match one of the globs. */
export async function listGlobDirs(globs: string[], cwd: string): Promise<string[]> {
  const dirs = new Set<string>()
  for (const pattern of globs) {
    if (pattern.startsWith('!')) continue
    const fixed = pattern.split('/').slice(0, findMagicSegment(pattern))
    const base = resolve(cwd, fixed.join('/') || '.')
    dirs.add(base)
    const isDeep = pattern.slice(fixed.join('/').length).replace(/^\//, '').includes('/') || pattern.includes('**')
    if (!isDeep) continue
    for (const dir of await findAll('**', { cwd: base, onlyDirectories: true }).catch(() => [])) {
      dirs.add(resolve(dir))
    }
  }
  return [...dirs]
}

function findMagicSegment(pattern: string): number {
  const segments = pattern.split('/')
  const magic = segments.findIndex((segment) => /[*?[\]{}()!+@]/.test(segment))
  return magic === -1 ? segments.length - 1 : magic
}

/** Paths with what they looked like; equal signatures mean unchanged inputs. */
export type Signatures = Record<string, string>

/** Synchronous on purpose: some microseconds a path, paid on every lease. */
export function readSignature(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return 'absent'
  // A directory's own times say that entries came or went; its size and inode say nothing more.
  return stat.isDirectory() ? `dir:${stat.mtimeNs}` : `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}

export function readSignatures(paths: Iterable<string>): Signatures {
  return Object.fromEntries([...new Set(paths)].map((path) => [path, readSignature(path)]))
}

/** @returns the first path that does not look as it did, or undefined. */
export function findChangedPath(signatures: Signatures): string | undefined {
  return Object.keys(signatures).find((path) => readSignature(path) !== signatures[path])
}
