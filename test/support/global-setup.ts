import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackages } from './installed.ts'
import { warmHomeVariable } from './warm-home.ts'
import { readSymlinkProtection, setSymlinkProtection } from './symlink-protection.ts'

/** Installs our packages as users do, and makes the parts that all test homes start from, as a first run would. */
export default async function setup(): Promise<() => Promise<void>> {
  // Once for all projects of a run, which ask one after the other.
  if (process.env[warmHomeVariable] !== undefined) return async () => {}
  const protection = readSymlinkProtection()
  const installedDir = await installPackages()
  // They load what has just been installed.
  const [{ leaseBranch }, { makeHome }] = await Promise.all([import('./branch.ts'), import('./home.ts')])
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
  return async () => {
    setSymlinkProtection(protection)
    delete process.env[warmHomeVariable]
    // Workers are still ending, and are waited for meanwhile.
    for (const dir of [warmHomeDir, installedDir]) await rm(dir, { recursive: true, force: true })
  }
}
