import { existsSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { globSync } from 'tinyglobby'

/** Where packages put versioned programs of Postgres, beside PATH. */
export const knownPlaces: readonly string[] = [
  '/usr/lib/postgresql/*/bin', // Debian, Ubuntu
  '/usr/pgsql-*/bin', // PGDG on Fedora, RHEL
  '/opt/homebrew/opt/postgresql@*/bin',
  '/opt/homebrew/opt/libpq/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/usr/local/opt/libpq/bin',
  '/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
]

/** @returns the directories that hold `program` itself: Debian's /usr/bin has only scripts of these names. */
export function listDirsWith(program: string): string[] {
  const inPath = (process.env.PATH ?? '').split(delimiter)
  const known = globSync([...knownPlaces], { onlyDirectories: true, absolute: true, cwd: '/' })
  const files = [...inPath, ...known]
    .map((dir) => join(dir, program))
    .filter((file) => existsSync(file))
    .map((file) => realpathSync(file))
  return [...new Set(files.filter((file) => basename(file) === program).map((file) => dirname(file)))]
}
