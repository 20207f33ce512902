import { lstatSync, mkdtempSync } from 'node:fs'
import { rename, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { requireOwnPlace } from './own-place.ts'
import { Shell } from './shell.ts'

/** One for all: starting a process from Node costs milliseconds. It ends with this process. */
const shell = new Shell()

/**
 * Removes directories that other users may have had in their hands, such as those of servers that run as
 * another user. Each is first moved into a directory that nobody else can enter, on the same file system, and
 * removed there by rm(1), which holds every directory open by what it is and not by its name, and unlinks links
 * without following them. One that is already gone is not an error.
 *
 * @throws PgBranchError `PGB_HOME_UNUSABLE` if the directory around one of them is not this user's own.
 */
export async function removeTrees(paths: string[]): Promise<void> {
  const present = paths.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
  if (present.length === 0) return
  const doomed: string[] = []
  for (const path of present) {
    const parent = dirname(path)
    requireOwnPlace(parent)
    const pit = mkdtempSync(join(parent, doomedPrefix))
    try {
      await rename(path, join(pit, basename(path)))
      doomed.push(pit)
    } catch {
      // A mount point, or a btrfs subvolume of somebody else's: it cannot be moved.
      await rmdir(pit)
      doomed.push(path)
    }
  }
  await shell.run('rm', '-rf', '--', ...doomed)
}

/** So begins what a removal leaves whose process was killed. */
const doomedPrefix = '.doomed-'
