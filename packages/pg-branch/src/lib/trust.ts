import { lstatSync, readlinkSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describeUser } from './own-place.ts'

/** A chain of links longer than this is a circle. */
const maxLinks = 20

/**
 * Whether a file that was found above the tests may be run: git's rule for `safe.directory`, with one owner more,
 * whoever owns the tests, which are run anyway. Links are followed, each as much in question as the file.
 *
 * @returns what is wrong with it, undefined if nothing is.
 */
export function findDistrust(file: string, rootDir: string): string | undefined {
  const uid = process.getuid?.()
  if (uid === undefined || dirname(file) === resolve(rootDir)) return undefined
  const { SUDO_UID } = process.env
  const sudoUser = uid === 0 && SUDO_UID !== undefined ? [Number(SUDO_UID)] : []
  const trusted = new Set([0, uid, statSync(rootDir, { throwIfNoEntry: false })?.uid ?? uid, ...sudoUser])
  let path = file
  for (let links = 0; links <= maxLinks; links += 1) {
    const dir = dirname(path)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    const dirStat = statSync(dir, { throwIfNoEntry: false })
    if (stat === undefined || dirStat === undefined) return 'leads nowhere'
    const owner = [stat.uid, dirStat.uid].find((other) => !trusted.has(other))
    if (owner !== undefined) return `belongs to ${describeUser(owner)}`
    if (!stat.isSymbolicLink()) return undefined
    // Sticky ones such as /tmp aside, whoever may write to a directory can have its links lead elsewhere.
    if ((dirStat.mode & 0o1002) === 0o002) return `is a link in ${dir}, which everybody can change`
    path = resolve(dir, readlinkSync(path))
  }
  return 'is a link to itself'
}
