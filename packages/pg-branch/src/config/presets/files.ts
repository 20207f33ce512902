import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const scriptExtensions = ['ts', 'js', 'mjs', 'cjs', 'mts', 'cts']

/** @returns every name that a configuration `stem` may have, e.g. `knexfile.ts`. */
export function listScripts(stem: string, extra: string[] = []): string[] {
  return [...scriptExtensions, ...extra].map((extension) => `${stem}.${extension}`)
}

/** @returns the first of `files` that is there. */
export function findFile(dir: string, files: readonly string[]): string | undefined {
  return files.find((file) => existsSync(join(dir, file)))
}

/** @returns what the first group of `pattern` matches in a file's text, as a folder without `./` and `/` around. */
export function readFolder(dir: string, { file, pattern }: { file: string; pattern: RegExp }): string | undefined {
  const found = pattern.exec(readFileSync(join(dir, file), 'utf8'))?.[1]
  return found?.replace(/^\.\//, '').replace(/\/$/, '')
}

export function listSql(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.sql') && !file.endsWith('.down.sql'))
  } catch {
    return []
  }
}

/** @returns the first SQL file of a folder in which `marker` stands. */
export function findMarker(folder: string, marker: RegExp): string | undefined {
  return listSql(folder).find((file) => marker.test(readFileSync(join(folder, file), 'utf8')))
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
