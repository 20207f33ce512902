import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Whatever a tool or a script may read (dotenv, dotenv-flow, Vite, Next.js, Prisma), but for examples. */
const namePattern = /^\.env(\.(?!example$|sample$|template$|dist$|enc$|vault$)[\w.-]+)?$/
/** Packages of a monorepo have their own. */
const maxDepth = 2
const maxDirs = 100
/** Larger ones hold something else. */
const maxBytes = 1024 * 1024
const linePattern = /^\s*(?:export\s+)?([\w.-]+)\s*(?:=|:\s)\s*("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^#\n]*)/gm

/** @returns the variables of the `.env` files of a directory, those around it in its repository, and some below: of one that is in several, any value. */
export function listEnvFileVariables(dir: string): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const file of [...listAround(dir), ...listBelow(dir)]) {
    for (const [, variable = '', value = ''] of read(file).matchAll(linePattern)) {
      variables[variable] ??= value.trim().replace(/^(["'`])(.*)\1$/s, '$2')
    }
  }
  return variables
}

/** @returns those of the directory, and of the directories above it in its repository. */
function listAround(dir: string): string[] {
  const files = listNames(dir)
    .filter((name) => namePattern.test(name))
    .map((name) => join(dir, name))
  const isTop = existsSync(join(dir, '.git')) || dirname(dir) === dir || !isInRepository(dir)
  return isTop ? files : [...files, ...listAround(dirname(dir))]
}

function isInRepository(dir: string): boolean {
  if (existsSync(join(dir, '.git'))) return true
  return dirname(dir) !== dir && isInRepository(dirname(dir))
}

function listBelow(top: string): string[] {
  const files: string[] = []
  let dirs = [top]
  let seen = 0
  for (let depth = 0; depth < maxDepth; depth += 1) {
    dirs = dirs.flatMap(listDirs)
    for (const dir of dirs) {
      seen += 1
      if (seen > maxDirs) return files
      for (const name of listNames(dir)) if (namePattern.test(name)) files.push(join(dir, name))
    }
  }
  return files
}

function listNames(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

function listDirs(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map(({ name }) => join(dir, name))
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat?.isFile() === true && stat.size <= maxBytes ? readFileSync(file, 'utf8') : ''
  } catch {
    // Whoever may not read it sees no address in it either.
    return ''
  }
}
