import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FileChange, ProjectFiles, RunnerSetup } from './contract.ts'
import { editModule } from './edit-module.ts'
import { findMissing, hasPackage } from './read-project.ts'

const extensions = ['ts', 'mts', 'js', 'mjs', 'cjs', 'cts']
/** In Vitest's own order. */
const configNames = ['vitest.config', 'vite.config'].flatMap((name) => extensions.map((ext) => `${name}.${ext}`))

const freshConfig = `import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { environment: 'pg-branch' } })
`

export function setUpVitest(project: ProjectFiles): RunnerSetup | undefined {
  const { dir, packageJson, isTypeScript } = project
  const path = configNames.find((name) => existsSync(join(dir, name)))
  if (path === undefined && !hasPackage(packageJson, 'vitest')) return undefined
  const packages = findMissing(project, ['vitest-environment-pg-branch'])
  const setup: RunnerSetup = { name: 'vitest', packages, changes: [], todo: [] }
  if (path === undefined || (path.startsWith('vite.') && !project.read(path).includes('test'))) {
    setup.changes.push({ path: `vitest.config.${isTypeScript ? 'ts' : 'mjs'}`, before: '', after: freshConfig })
    if (path !== undefined)
      setup.todo.push(`take over from ${path} what your tests need: Vitest reads only one of the two`)
    return setup
  }
  const before = project.read(path)
  const change = editConfig(path, before)
  if (change === undefined) {
    setup.open = [
      `set \`environment: 'pg-branch'\` in the \`test\` options of ${path}, and of each of its projects that needs a database`,
    ]
  } else if (change.after !== before) setup.changes.push(change)
  return setup
}

interface TestOptions {
  environment?: unknown
  environmentOptions?: { pgBranch?: Record<string, unknown> }
  projects?: unknown
  workspace?: unknown
}

function editConfig(path: string, before: string): FileChange | undefined {
  if (/environment:\s*['"]pg-branch['"]/.test(before)) return { path, before, after: before }
  const after = editModule(before, (options) => {
    const test = (options.test ??= {}) as TestOptions
    // Each project has options of its own, which these are not part of.
    if (test.projects !== undefined || test.workspace !== undefined) return false
    const base = test.environment
    if (base === 'jsdom' || base === 'happy-dom') {
      test.environmentOptions ??= {}
      test.environmentOptions.pgBranch ??= {}
      test.environmentOptions.pgBranch.base = base
    } else if (base !== undefined && base !== 'node') return false
    test.environment = 'pg-branch'
    return true
  })
  return after === undefined ? undefined : { path, before, after }
}
