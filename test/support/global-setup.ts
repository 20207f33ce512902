import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leaseBranch } from './branch.ts'
import { makeHome, warmHomeVariable } from './home.ts'

/** Makes the parts that all test homes start from, as the first run of a new user would. */
export default async function setup(): Promise<() => void> {
  const warmHomeDir = mkdtempSync(join(tmpdir(), 'pgb-warm-'))
  const before = process.env.PG_BRANCH_HOME
  const home = makeHome({ dir: warmHomeDir, warm: false })
  const project = mkdtempSync(join(tmpdir(), 'pgb-warm-project-'))
  const branch = await leaseBranch(project)
  branch.connection.close()
  await home.end()
  rmSync(project, { recursive: true })
  if (before === undefined) delete process.env.PG_BRANCH_HOME
  else process.env.PG_BRANCH_HOME = before
  // Workers inherit it.
  process.env[warmHomeVariable] = warmHomeDir
  return () => rmSync(warmHomeDir, { recursive: true, force: true })
}
