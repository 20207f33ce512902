import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { lilconfig } from 'lilconfig'
import { PgBranchError } from '../lib/errors.ts'
import { findDistrust } from '../lib/trust.ts'

const configFileNames: string[] = [
  'pg-branch.config.ts',
  'pg-branch.config.js',
  'pg-branch.config.mjs',
  'pg-branch.config.json',
]

export interface FoundConfig {
  /** The configuration file, or the package.json that holds the key; undefined if there is none. */
  file: string | undefined
  /** Directory to which relative paths refer: the file's, else the nearest one with a package.json. */
  baseDir: string
  /** Every path looked at. If one of them appears or changes, the answer may be another. */
  candidates: string[]
}

/**
 * Finds the nearest configuration from `rootDir` upwards, not beyond the repository (`.git`). It is going to be
 * run, so above `rootDir` it must belong to whoever the tests there belong to.
 *
 * @throws PgBranchError `PGB_CONFIG_AMBIGUOUS` if one directory holds two of them,
 * `PGB_CONFIG_NOT_FOUND` if `explicitFile` (relative to `rootDir`) does not exist, `PGB_CONFIG_FOREIGN` for one of
 * somebody else.
 */
export async function findConfig(rootDir: string, explicitFile?: string): Promise<FoundConfig> {
  if (explicitFile !== undefined) {
    const file = isAbsolute(explicitFile) ? explicitFile : resolve(rootDir, explicitFile)
    if (!existsSync(file)) {
      throw new PgBranchError(`there is no configuration file ${file}`, {
        code: 'PGB_CONFIG_NOT_FOUND',
        hint: `The option \`config\` names it, relative to the test root ${rootDir}.`,
      })
    }
    return { file, baseDir: dirname(file), candidates: [file] }
  }
  const dirs = listDirsUpwards(rootDir)
  // Whoever reads a pipe waits for ever.
  for (const dir of dirs) refuseSpecialFiles(dir)
  // Loaders only answer "is it here": the file is loaded later, in another process.
  const searcher = lilconfig('pg-branch', {
    searchPlaces: [...configFileNames, 'package.json'],
    stopDir: dirs.at(-1) ?? rootDir,
    loaders: Object.fromEntries(['.ts', '.js', '.mjs', '.json'].map((ext) => [ext, readPresence])),
  })
  const file = (await searcher.search(rootDir))?.filepath
  const searched = file === undefined ? dirs : dirs.slice(0, dirs.indexOf(dirname(file)) + 1)
  const candidates = searched.flatMap((dir) => [...configFileNames, 'package.json'].map((name) => join(dir, name)))
  if (file !== undefined) {
    requireTrusted(file, rootDir)
    assertUnambiguous(file)
  }
  // The tools of a project are found, and run, where its package is.
  const isPackage = (dir: string) => {
    const path = join(dir, 'package.json')
    return existsSync(path) && findDistrust(path, rootDir) === undefined
  }
  const packageDir = dirs.find(isPackage) ?? rootDir
  return { file, baseDir: file === undefined ? packageDir : dirname(file), candidates }
}

/** @throws PgBranchError `PGB_CONFIG_FOREIGN`. */
function requireTrusted(file: string, rootDir: string): void {
  const problem = findDistrust(file, rootDir)
  if (problem === undefined) return
  throw new PgBranchError(`${file} ${problem}, so it is not run`, {
    code: 'PGB_CONFIG_FOREIGN',
    hint: `It was found above ${rootDir}. If you trust it, name it: the environment option \`config\`, or \`--config ${file}\`. Else put a configuration of your own beside the tests.`,
  })
}

/** @throws PgBranchError `PGB_CONFIG_FOREIGN` for what is there by the name of a configuration and is no file. */
function refuseSpecialFiles(dir: string): void {
  for (const name of [...configFileNames, 'package.json']) {
    const path = join(dir, name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined || stat.isFile()) continue
    throw new PgBranchError(`${path} is no file`, {
      code: 'PGB_CONFIG_FOREIGN',
      hint: 'Remove it, or name the configuration that is meant with the environment option `config`.',
    })
  }
}

function readPresence(path: string, content: string): unknown {
  if (!path.endsWith('package.json')) return { present: true }
  try {
    return JSON.parse(content)
  } catch {
    return {}
  }
}

function assertUnambiguous(file: string): void {
  const dir = dirname(file)
  const present = configFileNames.filter((name) => existsSync(join(dir, name)))
  if (hasPackageKey(join(dir, 'package.json'))) present.push('the key "pg-branch" of package.json')
  if (present.length < 2) return
  throw new PgBranchError(`${dir} has more than one configuration: ${present.join(', ')}`, {
    code: 'PGB_CONFIG_AMBIGUOUS',
    hint: 'Keep one of them, or name one with the environment option `config`.',
  })
}

function hasPackageKey(file: string): boolean {
  try {
    return 'pg-branch' in (JSON.parse(readFileSync(file, 'utf8')) as object)
  } catch {
    return false
  }
}

function listDirsUpwards(rootDir: string): string[] {
  const dirs = [resolve(rootDir)]
  for (let dir = dirs[0] ?? rootDir; !existsSync(join(dir, '.git')) && dirname(dir) !== dir;) {
    dir = dirname(dir)
    dirs.push(dir)
  }
  return dirs
}
