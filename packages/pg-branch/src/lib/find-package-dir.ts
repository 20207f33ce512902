import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDistrust } from './trust.ts'

/**
 * @param from the file, or URL of a file, that would import it; it need not be there.
 * @returns the directory of a package, where Node would look for it; in directories above, only what the same people
 * own may be run.
 */
export function findPackageDir(name: string, from: string): string | undefined {
  const places = createRequire(from).resolve.paths(name) ?? []
  const rootDir = dirname(from.startsWith('file:') ? fileURLToPath(from) : from)
  const isUsable = (dir: string) => {
    const file = join(dir, 'package.json')
    return existsSync(file) && (dir.startsWith(`${rootDir}/`) || findDistrust(file, rootDir) === undefined)
  }
  const found = places.map((modules) => join(modules, name)).find(isUsable)
  return found === undefined ? undefined : realpathSync(found)
}
