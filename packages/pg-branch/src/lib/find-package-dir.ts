import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * @param from the file, or URL of a file, that would import it; it need not be there.
 * @returns the directory of a package, where Node would look for it.
 */
export function findPackageDir(name: string, from: string): string | undefined {
  const places = createRequire(from).resolve.paths(name) ?? []
  const found = places.map((modules) => join(modules, name)).find((dir) => existsSync(join(dir, 'package.json')))
  return found === undefined ? undefined : realpathSync(found)
}
