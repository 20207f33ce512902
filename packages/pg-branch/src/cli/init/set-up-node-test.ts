import type { ProjectFiles, RunnerSetup } from './contract.ts'
import { editJson } from './edit-json.ts'
import { findMissing } from './read-project.ts'

/** A script that runs `node --test`: the whole run gets one branch. */
export function setUpNodeTest(project: ProjectFiles): RunnerSetup | undefined {
  const { packageJson } = project
  const script = packageJson.scripts?.test
  if (script === undefined || !/\bnode\b.*--test\b/.test(script)) return undefined
  const setup: RunnerSetup = { name: 'node:test', packages: findMissing(project, ['pg-branch']), changes: [], todo: [] }
  if (script.includes('pg-branch')) return setup
  const before = project.read('package.json')
  const after = editJson(before, (json) => {
    const scripts = json.scripts as Record<string, string>
    scripts.test = `pg-branch run -- ${script}`
    return true
  })
  setup.changes.push({ path: 'package.json', before, after: after ?? before })
  setup.todo.push(
    'for a branch in each test file, open one there: see `openBranch` of pg-branch/node in the documentation',
  )
  return setup
}
