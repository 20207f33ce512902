import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FileChange, ProjectFiles, RunnerSetup } from './contract.ts'
import { editModule } from './edit-module.ts'
import { editJson } from './edit-json.ts'
import { findMissing, hasPackage } from './read-project.ts'

const configNames = ['ts', 'js', 'mjs', 'cjs', 'mts', 'cts', 'json'].map((extension) => `jest.config.${extension}`)

export function setUpJest(project: ProjectFiles): RunnerSetup | undefined {
  const { dir, packageJson } = project
  const path = configNames.find((name) => existsSync(join(dir, name)))
  const inPackage = packageJson.jest !== undefined
  if (path === undefined && !inPackage && !hasPackage(packageJson, 'jest')) return undefined
  const packages = findMissing(project, ['jest-environment-pg-branch'])
  const setup: RunnerSetup = { name: 'jest', packages, changes: [], todo: [] }
  if (path === undefined && !inPackage) {
    const code = `{\n  testEnvironment: 'pg-branch',\n}\n`
    const isModule = packageJson.type === 'module'
    const after = isModule ? `export default ${code}` : `module.exports = ${code}`
    setup.changes.push({ path: 'jest.config.js', before: '', after })
    return setup
  }
  const file = path ?? 'package.json'
  const before = project.read(file)
  const change = editConfig(file, before)
  if (change === undefined) {
    setup.open = [`set \`testEnvironment: 'pg-branch'\` in ${file}, in each of its projects that needs a database`]
  } else if (change.after !== before) setup.changes.push(change)
  return setup
}

interface JestOptions {
  testEnvironment?: unknown
  testEnvironmentOptions?: { pgBranch?: Record<string, unknown> }
  projects?: unknown
}

/** What is written in a comment has no effect. */
function hasComments(code: string): boolean {
  return /^\s*(\/\/|\/?\*).*(testEnvironment|projects|module\.exports)/m.test(code)
}

function editConfig(path: string, before: string): FileChange | undefined {
  const isSet = /testEnvironment["']?:\s*['"](jest-environment-)?pg-branch['"]/.test(before)
  if (isSet && !hasComments(before)) return { path, before, after: before }
  const after = edit(path, before)
  return after === undefined ? undefined : { path, before, after }
}

function edit(path: string, before: string): string | undefined {
  if (path === 'package.json') {
    return editJson(before, (json) => change(json.jest as JestOptions))
  }
  if (path.endsWith('.json')) return editJson(before, (json) => change(json))
  const edited = editModule(before, (options) => change(options))
  return edited ?? editCommonJs(before)
}

/** @returns whether it could be done. */
function change(options: JestOptions): boolean {
  if (options.projects !== undefined) return false
  const base = options.testEnvironment
  if (base === 'jsdom' || base === 'jest-environment-jsdom') {
    options.testEnvironmentOptions ??= {}
    options.testEnvironmentOptions.pgBranch ??= {}
    options.testEnvironmentOptions.pgBranch.base = 'jsdom'
  } else if (base !== undefined && base !== 'node' && base !== 'jest-environment-node') return false
  options.testEnvironment = 'pg-branch'
  return true
}

/** `module.exports = { … }`, which has no default export to change. */
function editCommonJs(before: string): string | undefined {
  if (hasComments(before) || /\bprojects\s*:/.test(before)) return undefined
  const environment = /(testEnvironment\s*:\s*)(['"])(?:jest-environment-)?node\2/
  if (environment.test(before)) return before.replace(environment, '$1$2pg-branch$2')
  const start = /module\.exports\s*=\s*\{[ \t]*\n?/
  if (/testEnvironment/.test(before) || !start.test(before)) return undefined
  const after = before.replace(start, (match) => `${match.trimEnd()}\n  testEnvironment: 'pg-branch',\n`)
  return /\{\s*\}/.test(before) ? after.replace(/,\n\s*\}/, ',\n}') : after
}
